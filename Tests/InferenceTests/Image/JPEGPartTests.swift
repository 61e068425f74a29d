import Foundation
import PictureDrawing
import TestSupport
import Testing

@testable import Inference

/// Decoding the part of a JPEG that a resize reads, beside decoding all of it.
@Suite struct JPEGPartTests {
    private static let kinds: [JPEGFile] = {
        var kinds = [JPEGFile(colour: .rgb), JPEGFile(restartRows: 1)]
        // Up to what the format allows: libjpeg does not cut or skip every one of them rightly.
        for (width, height) in [(1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (4, 2), (2, 4), (1, 4), (3, 1), (1, 3)] {
            for isProgressive in [false, true] {
                let colour = JPEGFile.Colour.luma(chromaWidth: width, chromaHeight: height)
                kinds.append(JPEGFile(colour: colour, isProgressive: isProgressive))
            }
        }
        return kinds
    }()

    private func check(_ file: Data, eighths: Int, using random: inout SeededGenerator, parts: Int) throws {
        let decoder = try JPEGDecoder()
        let whole = try decoder.decode(file, eighths: eighths)
        for _ in 0..<parts {
            func range(in whole: Range<Int>) -> Range<Int> {
                let ends = (Int.random(in: whole, using: &random), Int.random(in: whole, using: &random))
                return min(ends.0, ends.1)..<(max(ends.0, ends.1) + 1)
            }
            let wanted = PicturePart(columns: range(in: whole.part.columns), rows: range(in: whole.part.rows))
            let (part, pixels) = try decoder.decode(file, eighths: eighths, part: wanted)
            #expect(part.columns.contains(wanted.columns) && part.rows.contains(wanted.rows), "\(part) for \(wanted)")
            for row in wanted.rows {
                func bytes(_ pixels: [UInt8], _ part: PicturePart) -> ArraySlice<UInt8> {
                    let first = (row - part.rows.lowerBound) * part.columns.count - part.columns.lowerBound
                    return pixels[4 * (first + wanted.columns.lowerBound)..<4 * (first + wanted.columns.upperBound)]
                }
                guard bytes(pixels, part) == bytes(whole.pixels, whole.part) else {
                    Issue.record("row \(row) of \(wanted) at \(eighths)/8 differs")
                    return
                }
            }
        }
    }

    @Test("A part has the whole's pixels, to the bit", arguments: kinds, [1, 2, 4, 8])
    func equalsWhole(_ kind: JPEGFile, eighths: Int) throws {
        var random = SeededGenerator(20)
        for (width, height) in [(131, 97), (64, 48), (17, 150), (1, 9), (8, 1)] {
            let file = try kind.write(ResizeTests.source(width, height))
            try check(file, eighths: eighths, using: &random, parts: 24)
        }
    }

    @Test("Rows above a part are left out in several steps") func tall() throws {
        var random = SeededGenerator(21)
        let file = try JPEGFile().write(ResizeTests.source(24, 1700))
        try check(file, eighths: 8, using: &random, parts: 12)
    }

    @Test("What is beside the crop is left out, and the picture is the one of the whole")
    func crop() throws {
        let picture = SampleScene.redCar.draw(width: 500, height: 375)
        let preprocessing = Preprocessing.plain(224, 224, resize: .shortSideCrop)
        let file = try JPEGFile().write(picture)
        let whole = try readPixels(file, .plain(500, 375)).map { UInt8($0) }
        let png = try PNGFile().write(Picture(width: 500, height: 375, pixels: whole))
        #expect(try readPixels(file, preprocessing) == readPixels(png, preprocessing))
        let decoder = try JPEGDecoder()
        // 224 of 341 columns and of 256 rows: 85 to 414 and 23 to 352 of the picture's.
        let wanted = PicturePart(columns: 85..<415, rows: 23..<353)
        let (part, _) = try decoder.decode(file, eighths: 8, part: wanted)
        #expect(part == PicturePart(columns: 80..<417, rows: 23..<353))
    }
}

extension Range<Int> {
    fileprivate func contains(_ other: Self) -> Bool { clamped(to: other) == other }
}
