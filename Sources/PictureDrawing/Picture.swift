/// An 8-bit RGB picture, rows from the top, three bytes a pixel without gaps.
public struct Picture: Sendable, Equatable {
    public let width: Int
    public let height: Int
    public var pixels: [UInt8]

    /// - Precondition: `pixels` holds `width` × `height` × 3 bytes; both sides are at least 1.
    public init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(width > 0 && height > 0 && pixels.count == width * height * 3)
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// A picture whose pixel at column x, row y is `colour(x, y)`.
    public init(width: Int, height: Int, colour: (Int, Int) -> Colour) {
        var pixels = [UInt8]()
        pixels.reserveCapacity(width * height * 3)
        for y in 0..<height {
            for x in 0..<width {
                let bytes = colour(x, y).bytes
                pixels.append(bytes.x)
                pixels.append(bytes.y)
                pixels.append(bytes.z)
            }
        }
        self.init(width: width, height: height, pixels: pixels)
    }

    /// Red, green and blue of the pixel at column x, row y.
    public subscript(x: Int, y: Int) -> Colour {
        let at = (y * width + x) * 3
        return Colour(
            Float(pixels[at]) / 255, Float(pixels[at + 1]) / 255, Float(pixels[at + 2]) / 255)
    }
}

/// A colour; red, green and blue in 0...1.
public struct Colour: Sendable, Equatable {
    public var rgb: SIMD3<Float>

    public init(_ red: Float, _ green: Float, _ blue: Float) { rgb = SIMD3(red, green, blue) }

    init(_ rgb: SIMD3<Float>) { self.rgb = rgb }

    public static func grey(_ value: Float) -> Colour { Colour(value, value, value) }

    /// `share` 0 gives this colour, 1 the other.
    public func mixed(with other: Colour, _ share: Float) -> Colour { Colour(rgb + (other.rgb - rgb) * share) }

    public func scaled(by factor: Float) -> Colour { Colour(rgb * factor) }

    /// Rounded to 8 bits.
    public var bytes: SIMD3<UInt8> {
        SIMD3<UInt8>((rgb.clamped(lowerBound: .zero, upperBound: .one) * 255).rounded(.toNearestOrAwayFromZero))
    }
}
