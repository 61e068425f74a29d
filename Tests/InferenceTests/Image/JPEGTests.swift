import Foundation
import PictureDrawing
import TestSupport
import Testing

@testable import Inference

@Suite struct JPEGTests {
    /// Smooth, so that chroma sampled at half the size loses little.
    private static let picture = Picture(width: 61, height: 45) { x, y in
        Colour(Float(x) / 60, Float(y) / 44, 0.5 + 0.5 * Float(x - y) / 60)
    }

    private static let kinds: [JPEGFile] = {
        var kinds = [JPEGFile(colour: .rgb, quality: 95), JPEGFile(quality: 95, restartRows: 1)]
        for (width, height) in [(1, 1), (2, 1), (1, 2), (2, 2)] {
            let colour = JPEGFile.Colour.luma(chromaWidth: width, chromaHeight: height)
            kinds.append(JPEGFile(colour: colour, quality: 95))
            kinds.append(JPEGFile(colour: colour, quality: 95, isProgressive: true))
        }
        return kinds
    }()

    @Test("RGB and YCbCr, baseline and progressive", arguments: kinds)
    func colour(_ kind: JPEGFile) throws {
        let read = try readPixels(kind.write(Self.picture), .plain(61, 45))
        let (mean, most) = difference(read, pixels(of: Self.picture))
        #expect(mean < 2)
        #expect(most < 30)
    }

    @Test("Grey") func grey() throws {
        let values = (0..<(40 * 30)).map { UInt8($0 % 40 * 6) }
        let file = try JPEGFile(colour: .grey, quality: 95).write(values, width: 40, height: 30)
        let read = try readPixels(file, .plain(40, 30))
        #expect(difference(read, values.flatMap { [Float($0), Float($0), Float($0)] }).most < 5)
    }

    @Test("CMYK and YCCK, as Adobe stores them", arguments: [true, false])
    func fourColours(isPlain: Bool) throws {
        // Flat patches: ink is 255 − value; red = (255 − cyan) × (255 − black) ÷ 255.
        let patches: [(ink: [Int], rgb: [Float])] = [
            ([0, 0, 0, 0], [255, 255, 255]), ([255, 0, 0, 0], [0, 255, 255]), ([0, 255, 0, 0], [255, 0, 255]),
            ([0, 0, 255, 0], [255, 255, 0]), ([0, 0, 0, 255], [0, 0, 0]), ([100, 50, 0, 128], [77, 102, 127]),
        ]
        for patch in patches {
            let values = (0..<(16 * 16)).flatMap { _ in patch.ink.map { UInt8(255 - $0) } }
            let file = try JPEGFile(colour: isPlain ? .cmyk : .ycck, quality: 100).write(values, width: 16, height: 16)
            let read = try readPixels(file, .plain(16, 16))
            let expected = (0..<(16 * 16)).flatMap { _ in patch.rgb }
            #expect(difference(read, expected).most <= 3, "ink \(patch.ink)")
        }
    }

    @Test("Small and thin pictures", arguments: [(1, 1), (1, 70), (70, 1), (2, 3), (17, 9)])
    func small(width: Int, height: Int) throws {
        let picture = Picture(width: width, height: height) { _, _ in Colour(0.8, 0.4, 0.2) }
        for isProgressive in [false, true] {
            let file = try JPEGFile(quality: 95, isProgressive: isProgressive).write(picture)
            let read = try readPixels(file, .plain(6, 5))
            #expect(difference(read, (0..<30).flatMap { _ in [204, 102, 51] }).most <= 4)
        }
    }

    @Test("Decoded at a half, a quarter and an eighth it stays close, whatever the sides", arguments: [2, 4, 8])
    func scaled(factor: Int) throws {
        for extra in [0, 1, factor - 1] {
            let picture = SampleScene.redCar.draw(width: 40 * 2 * factor + extra, height: 30 * 2 * factor + extra)
            let file = try JPEGFile(quality: 92).write(picture)
            let full = try readPixels(file, .plain(40, 30))
            let part = try readPixels(file, .plain(40, 30, scaledDecoding: true))
            #expect(difference(full, part).mean < 1.5)
            #expect(full != part, "the scale was not used")
        }
    }

    @Test("Stray bytes between segments and after the end do no harm") func strayBytes() throws {
        let file = try JPEGFile().write(Self.picture)
        let clean = try readPixels(file, .plain(8, 8))
        #expect(try readPixels(file + Data(repeating: 0xAB, count: 500), .plain(8, 8)) == clean)
        let stray = file.prefix(2) + Data([0x12, 0x34, 0x56]) + file.dropFirst(2)
        #expect(errorCode(stray) == .imageUnsupported, "no marker follows the signature")
        let header = 20  // SOI and JFIF's segment
        let between = file.prefix(header) + Data([0x12, 0x34]) + file.dropFirst(header)
        #expect(try readPixels(between, .plain(8, 8)) == clean)
        let filled = file.prefix(header) + Data([0xFF, 0xFF, 0xFF]) + file.dropFirst(header)
        #expect(try readPixels(filled, .plain(8, 8)) == clean)
    }

    @Test("Codings that are not supported say so") func unsupported() throws {
        #expect(errorCode(try JPEGFile(isArithmetic: true).write(Self.picture)) == .imageUnsupported)
        let file = [UInt8](try JPEGFile().write(Self.picture))
        let frame = try #require(place(ofMarker: 0xC0, in: file))
        for marker: UInt8 in [0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF] {
            var other = file
            other[frame + 1] = marker
            #expect(errorCode(Data(other)) == .imageUnsupported, "SOF\(marker - 0xC0)")
        }
        var twelveBits = file
        twelveBits[frame + 4] = 12
        #expect(errorCode(Data(twelveBits)) == .imageUnsupported)
    }
}
