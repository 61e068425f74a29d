import Foundation
import PictureDrawing
import TestSupport
import Testing

@testable import Inference

@Suite struct PNGTests {
    private static let (width, height) = (23, 17)

    /// Pixel values of a kind of PNG, and the RGB that a viewer on white paper sees.
    private func check(_ kind: PNGFile, _ stored: [UInt8], _ expected: [Float]) throws {
        for isInterlaced in [false, true] {
            var kind = kind
            kind.isInterlaced = isInterlaced
            let file = try kind.write(stored, width: Self.width, height: Self.height)
            #expect(try readPixels(file, .plain(Self.width, Self.height)) == expected, "interlaced: \(isInterlaced)")
        }
    }

    private func eachPixel<Value>(_ values: (Int, Int) -> [Value]) -> [Value] {
        (0..<Self.height).flatMap { y in (0..<Self.width).flatMap { x in values(x, y) } }
    }

    private func overWhite(_ value: Int, _ alpha: Int) -> Float {
        Float((value * alpha + 255 * (255 - alpha) + 127) / 255)
    }

    @Test("RGB, 8 and 16 bits") func rgb() throws {
        let values = eachPixel { x, y -> [UInt8] in [UInt8(x * 11), UInt8(y * 15), UInt8(x * y % 256)] }
        try check(PNGFile(colour: .rgb), values, values.map(Float.init))
        // Sixteen bits are rounded to eight: 257 a step. 0x80 above v × 257 would round up.
        let deep = values.flatMap { [$0, $0 &+ ($0 < 100 ? 100 : 0)] }
        try check(PNGFile(colour: .rgb, bits: 16), deep, values.map(Float.init))
    }

    @Test("Grey of every depth", arguments: [1, 2, 4, 8, 16]) func grey(bits: Int) throws {
        let most = bits == 16 ? 255 : (1 << bits) - 1
        func value(_ x: Int, _ y: Int) -> Int { (x * 7 + y * 3) % (most + 1) }
        let expected = eachPixel { x, y -> [Float] in Array(repeating: Float(value(x, y) * 255 / most), count: 3) }
        try check(PNGFile(colour: .grey, bits: bits), packed(bits: bits, value), expected)
    }

    @Test("A palette of every depth, with and without alpha", arguments: [1, 2, 4, 8], [false, true])
    func palette(bits: Int, hasAlpha: Bool) throws {
        let entries = (0..<(1 << bits)).map { entry -> SIMD3<UInt8> in
            let (red, green, blue) = (entry * 83 % 256, entry * 29 % 256, entry * 151 % 256)
            return SIMD3(UInt8(red), UInt8(green), UInt8(blue))
        }
        let alphas = hasAlpha ? entries.indices.dropLast().map { UInt8($0 * 71 % 256) } : []
        func index(_ x: Int, _ y: Int) -> Int { (x * 5 + y * 2) % entries.count }
        let expected = eachPixel { x, y -> [Float] in
            let entry = index(x, y)
            let alpha = entry < alphas.count ? Int(alphas[entry]) : 255
            let colour = entries[entry]
            return [overWhite(Int(colour.x), alpha), overWhite(Int(colour.y), alpha), overWhite(Int(colour.z), alpha)]
        }
        let kind = PNGFile(colour: .palette(entries, alpha: alphas), bits: bits)
        try check(kind, packed(bits: bits, index), expected)
    }

    @Test("Alpha goes over white") func alpha() throws {
        func values(_ x: Int, _ y: Int) -> [UInt8] {
            [x * 11, y * 15, x * y % 256, (x * 41 + y * 17) % 256].map { UInt8($0) }
        }
        let rgb = eachPixel { x, y -> [Float] in
            let value = values(x, y).map { Int($0) }
            return [overWhite(value[0], value[3]), overWhite(value[1], value[3]), overWhite(value[2], value[3])]
        }
        let stored: [UInt8] = eachPixel { x, y in values(x, y) }
        try check(PNGFile(colour: .rgba), stored, rgb)
        try check(PNGFile(colour: .rgba, bits: 16), stored.flatMap { [$0, $0] }, rgb)
        let greyStored: [UInt8] = eachPixel { x, y in [values(x, y)[0], values(x, y)[3]] }
        let grey = eachPixel { x, y -> [Float] in
            let value = overWhite(Int(values(x, y)[0]), Int(values(x, y)[3]))
            return [value, value, value]
        }
        try check(PNGFile(colour: .greyAlpha), greyStored, grey)
    }

    @Test("One transparent colour, of 8 and 16 bits") func transparentColour() throws {
        let isMarked = { (x: Int, y: Int) in (x + y) % 3 == 0 }
        let values = eachPixel { x, y -> [UInt8] in isMarked(x, y) ? [10, 20, 30] : [UInt8(x), UInt8(y), 9] }
        let expected = eachPixel { x, y -> [Float] in isMarked(x, y) ? [255, 255, 255] : [Float(x), Float(y), 9] }
        try check(PNGFile(colour: .rgb, transparent: [10, 20, 30]), values, expected)
        let deep = values.flatMap { [$0, $0] }
        try check(PNGFile(colour: .rgb, bits: 16, transparent: [10 * 257, 20 * 257, 30 * 257]), deep, expected)
        // The whole 16 bits are compared, not the eight that are kept.
        let near = try PNGFile(colour: .grey, bits: 16, transparent: [0x0A0A]).write([0x0A, 0x0B], width: 1, height: 1)
        #expect(try readPixels(near, .plain(1, 1)) == [10, 10, 10])
        let grey = eachPixel { x, _ -> [UInt8] in [UInt8(x)] }
        let greyExpected = eachPixel { x, _ -> [Float] in Array(repeating: x == 7 ? 255 : Float(x), count: 3) }
        try check(PNGFile(colour: .grey, transparent: [7]), grey, greyExpected)
    }

    @Test("Small and thin pictures, interlaced or not", arguments: [(1, 1), (1, 40), (40, 1), (3, 2)])
    func small(width: Int, height: Int) throws {
        let picture = Picture(width: width, height: height) { _, _ in Colour(1, 0.4, 0.2) }
        for isInterlaced in [false, true] {
            let read = try readPixels(PNGFile(isInterlaced: isInterlaced).write(picture), .plain(5, 6))
            #expect(read == (0..<30).flatMap { _ in [255, 102, 51] })
        }
    }

    /// Rows of samples of `bits` bits, packed from the highest bit on, each row from a whole byte.
    private func packed(bits: Int, _ value: (Int, Int) -> Int) -> [UInt8] {
        (0..<Self.height).flatMap { y -> [UInt8] in
            if bits == 16 { return (0..<Self.width).flatMap { x in Array(repeating: UInt8(value(x, y)), count: 2) } }
            var row = [UInt8](repeating: 0, count: (Self.width * bits + 7) / 8)
            for x in 0..<Self.width {
                row[x * bits / 8] |= UInt8(value(x, y) << (8 - bits - x * bits % 8))
            }
            return row
        }
    }
}
