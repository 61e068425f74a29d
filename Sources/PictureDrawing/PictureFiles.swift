import CJPEG
import CPNG
import Foundation

/// Why a picture file could not be written: the options do not go together.
public struct PictureFileError: Error, CustomStringConvertible {
    public let description: String
}

/// Writes JPEG files of every kind that is read, and of some that are not.
public struct JPEGFile: Sendable {
    public enum Colour: Sendable {
        /// One byte a pixel.
        case grey
        /// Red, green, blue; stored as they are.
        case rgb
        /// Red, green, blue; stored as luma and chroma, the latter sampled less often by the two factors (1 to 4).
        case luma(chromaWidth: Int, chromaHeight: Int)
        /// Cyan, magenta, yellow, black, as Adobe stores them: 255 is no ink.
        case cmyk
        /// The same four, stored as luma, chroma and black.
        case ycck
    }

    public var colour: Colour
    public var quality: Int
    public var isProgressive: Bool
    /// Arithmetic coding, which few programs read.
    public var isArithmetic: Bool
    /// A restart marker after so many rows of blocks; 0: none.
    public var restartRows: Int

    public init(
        colour: Colour = .luma(chromaWidth: 2, chromaHeight: 2), quality: Int = 90, isProgressive: Bool = false,
        isArithmetic: Bool = false, restartRows: Int = 0
    ) {
        self.colour = colour
        self.quality = quality
        self.isProgressive = isProgressive
        self.isArithmetic = isArithmetic
        self.restartRows = restartRows
    }

    public func write(_ picture: Picture) throws -> Data {
        try write(picture.pixels, width: picture.width, height: picture.height)
    }

    /// - Parameter pixels: rows without gaps, as many bytes a pixel as `colour` says.
    public func write(_ pixels: [UInt8], width: Int, height: Int) throws -> Data {
        var options = kaption_jpeg_options()
        options.width = UInt32(width)
        options.height = UInt32(height)
        options.quality = Int32(quality)
        options.chroma_horizontal = 1
        options.chroma_vertical = 1
        options.progressive = isProgressive ? 1 : 0
        options.arithmetic = isArithmetic ? 1 : 0
        options.restart_rows = Int32(restartRows)
        let pixelBytes: Int
        switch colour {
        case .grey: (options.colour, pixelBytes) = (KAPTION_JPEG_GREY, 1)
        case .rgb: (options.colour, pixelBytes) = (KAPTION_JPEG_RGB, 3)
        case .luma(let horizontal, let vertical):
            (options.colour, pixelBytes) = (KAPTION_JPEG_YCBCR, 3)
            options.chroma_horizontal = Int32(horizontal)
            options.chroma_vertical = Int32(vertical)
        case .cmyk: (options.colour, pixelBytes) = (KAPTION_JPEG_CMYK, 4)
        case .ycck: (options.colour, pixelBytes) = (KAPTION_JPEG_YCCK, 4)
        }
        precondition(pixels.count == width * height * pixelBytes)
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        guard kaption_jpeg_encode(&options, pixels, &bytes, &count) == KAPTION_JPEG_OK, let bytes else {
            throw PictureFileError(description: "libjpeg cannot write such a JPEG")
        }
        defer { kaption_jpeg_release(bytes) }
        return Data(bytes: bytes, count: count)
    }
}

/// Writes PNG files of every kind.
public struct PNGFile: Sendable {
    public enum Colour: Sendable {
        case grey, rgb, greyAlpha, rgba
        /// Red, green, blue of each entry, and the alpha of the first entries.
        case palette([SIMD3<UInt8>], alpha: [UInt8])
    }

    public var colour: Colour
    /// A sample: 1, 2, 4, 8 or 16, as PNG allows it for the colour.
    public var bits: Int
    public var isInterlaced: Bool
    /// Of grey (its first element) and RGB: the one colour that is transparent.
    public var transparent: [UInt16]?
    /// A TIFF structure with Exif's tags.
    public var exif: Data?

    public init(
        colour: Colour = .rgb, bits: Int = 8, isInterlaced: Bool = false, transparent: [UInt16]? = nil,
        exif: Data? = nil
    ) {
        self.colour = colour
        self.bits = bits
        self.isInterlaced = isInterlaced
        self.transparent = transparent
        self.exif = exif
    }

    public func write(_ picture: Picture) throws -> Data {
        try write(picture.pixels, width: picture.width, height: picture.height)
    }

    /// - Parameter pixels: rows without gaps, packed as PNG packs them (16-bit samples big endian, rows from a whole byte).
    public func write(_ pixels: [UInt8], width: Int, height: Int) throws -> Data {
        var options = kaption_png_options()
        options.width = UInt32(width)
        options.height = UInt32(height)
        options.bits = Int32(bits)
        options.interlaced = isInterlaced ? 1 : 0
        var (entries, alphas): ([UInt8], [UInt8]) = ([], [])
        let samples: Int
        switch colour {
        case .grey: (options.colour, samples) = (KAPTION_PNG_GREY, 1)
        case .rgb: (options.colour, samples) = (KAPTION_PNG_RGB, 3)
        case .greyAlpha: (options.colour, samples) = (KAPTION_PNG_GREY_ALPHA, 2)
        case .rgba: (options.colour, samples) = (KAPTION_PNG_RGBA, 4)
        case .palette(let palette, let alpha):
            (options.colour, samples) = (KAPTION_PNG_PALETTE, 1)
            (entries, alphas) = (palette.flatMap { [$0.x, $0.y, $0.z] }, alpha)
        }
        precondition(pixels.count == (width * samples * bits + 7) / 8 * height)
        if let transparent {
            options.has_transparent_colour = 1
            let all = transparent + [0, 0]
            options.transparent_colour = (all[0], all[1], all[2])
        }
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        let status = entries.withUnsafeBufferPointer { entries in
            alphas.withUnsafeBufferPointer { alphas in
                [UInt8](exif ?? Data()).withUnsafeBufferPointer { exif in
                    options.palette = entries.baseAddress
                    options.palette_count = Int32(entries.count / 3)
                    options.palette_alpha = alphas.baseAddress
                    options.palette_alpha_count = Int32(alphas.count)
                    options.exif = exif.isEmpty ? nil : exif.baseAddress
                    options.exif_count = exif.count
                    return kaption_png_encode(&options, pixels, &bytes, &count)
                }
            }
        }
        guard status == KAPTION_PNG_OK, let bytes else {
            throw PictureFileError(description: "libpng cannot write such a PNG")
        }
        defer { kaption_png_release(bytes) }
        return Data(bytes: bytes, count: count)
    }
}
