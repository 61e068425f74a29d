import Foundation
import PictureDrawing
import TestSupport
import Testing

@testable import Inference

@Suite struct OrientationTests {
    /// The viewed picture: its pixel (x, y) comes from the stored picture's, by Exif 2.32's table of orientations.
    private static func viewed(_ stored: Picture, _ orientation: Int) -> Picture {
        let (width, height) = (stored.width, stored.height)
        let isTurned = orientation >= 5
        return Picture(width: isTurned ? height : width, height: isTurned ? width : height) { x, y in
            switch orientation {
            case 2: stored[width - 1 - x, y]
            case 3: stored[width - 1 - x, height - 1 - y]
            case 4: stored[x, height - 1 - y]
            case 5: stored[y, x]
            case 6: stored[y, height - 1 - x]
            case 7: stored[width - 1 - y, height - 1 - x]
            case 8: stored[width - 1 - y, x]
            default: stored[x, y]
            }
        }
    }

    private static let stored = ResizeTests.source(53, 29)

    @Test(
        "All orientations, at the picture's size and resized, are those of the picture turned before",
        arguments: 1...8, [true, false])
    func turned(orientation: Int, isLittleEndian: Bool) throws {
        let exif = Exif.tiff(orientation: orientation, isLittleEndian: isLittleEndian)
        let tagged = try PNGFile(exif: exif).write(Self.stored)
        let viewed = Self.viewed(Self.stored, orientation)
        #expect(try readPixels(tagged, .plain(viewed.width, viewed.height)) == pixels(of: viewed))

        let plain = try PNGFile().write(viewed)
        let cropped = Preprocessing.plain(14, 12, resize: .shortSideCrop, resizeSide: 15)
        for preprocessing in [.plain(24, 20), .plain(8, 27), .plain(70, 60), cropped] {
            let (ours, expected) = (try readPixels(tagged, preprocessing), try readPixels(plain, preprocessing))
            #expect(difference(ours, expected).most <= 1)
            #expect(difference(ours, expected).mean < 0.001)
        }
    }

    @Test("A JPEG's Exif segment is found behind JFIF's too", arguments: 1...8)
    func jpeg(orientation: Int) throws {
        let picture = Picture(width: 48, height: 32) { x, y in Colour(Float(x) / 47, Float(y) / 31, 0.5) }
        let file = try JPEGFile(colour: .luma(chromaWidth: 1, chromaHeight: 1), quality: 98).write(picture)
        let tiff = Exif.tiff(orientation: orientation)
        let viewed = Self.viewed(picture, orientation)
        let target = Preprocessing.plain(viewed.width, viewed.height)
        #expect(difference(try readPixels(Exif.added(to: file, tiff: tiff), target), pixels(of: viewed)).most < 8)
        let (start, rest) = (file.prefix(20), file.dropFirst(20))
        let behind = start + Exif.added(to: Data([0xFF, 0xD8]) + rest, tiff: tiff).dropFirst(2)
        #expect(difference(try readPixels(behind, target), pixels(of: viewed)).most < 8)
    }

    @Test("Damaged Exif leaves the picture upright") func damaged() throws {
        let picture = Self.stored
        let upright = pixels(of: picture)
        let sound = [UInt8](Exif.tiff(orientation: 6))
        var damaged = (0..<sound.count - 4).map { Array(sound.prefix($0)) }.filter { $0.count < 20 }
        damaged.append(sound.enumerated().map { $0.offset == 18 ? 9 : $0.element })  // orientation 9
        damaged.append(sound.enumerated().map { $0.offset == 18 ? 0 : $0.element })  // orientation 0
        damaged.append(sound.enumerated().map { $0.offset == 12 ? 4 : $0.element })  // a type that is no SHORT
        damaged.append(sound.enumerated().map { (4..<8).contains($0.offset) ? 0xFF : $0.element })  // offset too far
        damaged.append(sound.enumerated().map { $0.offset == 0 ? 0x58 : $0.element })  // unknown byte order
        for bytes in damaged {
            let orientation = bytes.withUnsafeBytes { Orientation(tiff: $0) }
            #expect(orientation == .upright, "\(bytes)")
        }
        #expect(sound.withUnsafeBytes { Orientation(tiff: $0) } == .turnedRight)
        let jpeg = try JPEGFile(colour: .rgb, quality: 100).write(picture)
        let tagged = Exif.added(to: jpeg, tiff: Data([0x49, 0x49, 42, 0, 0xFF, 0xFF, 0xFF, 0xFF]))
        #expect(difference(try readPixels(tagged, .plain(53, 29)), upright).mean < 2)
    }
}
