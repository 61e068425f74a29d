import Foundation
import PictureDrawing
import TestSupport
import Testing

@testable import Inference

/// Our decoder of entropy codes beside libjpeg's.
@Suite struct JPEGEntropyTests {
    private enum Outcome: Equatable {
        case pixels([UInt8])
        case error(InferenceError.Code)
    }

    private static func decode(_ file: Data, by decoder: JPEGDecoder, eighths: Int = 8) -> Outcome {
        do {
            return .pixels(try decoder.decode(file, eighths: eighths, maximumPixels: 1 << 20).pixels)
        } catch let error as InferenceError {
            return .error(error.code)
        } catch {
            preconditionFailure("another error: \(error)")
        }
    }

    private let ours: JPEGDecoder
    private let libjpegs: JPEGDecoder

    init() throws {
        ours = try JPEGDecoder()
        libjpegs = try JPEGDecoder(isLibjpegAlone: true)
    }

    private static func noise(_ width: Int, _ height: Int) -> Picture {
        var random = SeededGenerator(17)
        return Picture(
            width: width, height: height,
            pixels: (0..<3 * width * height).map { _ in UInt8.random(in: .min ... .max, using: &random) })
    }

    /// From a picture with no coefficients to one of the longest codes there are.
    private static let pictures: [Picture] = [
        Picture(width: 33, height: 70) { _, _ in .grey(0.3) }, SampleScene.beach.draw(width: 203, height: 97),
        ResizeTests.source(61, 45), noise(130, 111), noise(1, 1), noise(7, 300),
    ]

    private static let kinds: [JPEGFile] = {
        var kinds: [JPEGFile] = []
        for restartRows in [0, 1] {
            kinds.append(JPEGFile(colour: .rgb, restartRows: restartRows))
            for (width, height) in [(1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (4, 2), (1, 4), (3, 1)] {
                let colour = JPEGFile.Colour.luma(chromaWidth: width, chromaHeight: height)
                kinds.append(JPEGFile(colour: colour, restartRows: restartRows))
            }
        }
        return kinds
    }()

    @Test("The pixels are libjpeg's, to the bit", arguments: kinds, [1, 20, 75, 95, 100])
    func pixels(_ kind: JPEGFile, quality: Int) throws {
        var kind = kind
        kind.quality = quality
        for picture in Self.pictures {
            let file = try kind.write(picture)
            for eighths in [8, 4, 2, 1] {
                let expected = Self.decode(file, by: libjpegs, eighths: eighths)
                guard case .pixels = expected else {
                    Issue.record("libjpeg says \(expected)")
                    continue
                }
                #expect(
                    Self.decode(file, by: ours, eighths: eighths) == expected,
                    "\(picture.width)×\(picture.height) at \(eighths)/8")
            }
        }
    }

    @Test("Grey and four colours too", arguments: [(JPEGFile.Colour.grey, 1), (.cmyk, 4), (.ycck, 4)])
    func otherColours(_ colour: JPEGFile.Colour, channels: Int) throws {
        var random = SeededGenerator(18)
        for quality in [5, 60, 100] {
            let pixels = (0..<channels * 90 * 51).map { _ in UInt8.random(in: 0...255, using: &random) }
            let file = try JPEGFile(colour: colour, quality: quality).write(pixels, width: 90, height: 51)
            let expected = Self.decode(file, by: libjpegs)
            guard case .pixels = expected else {
                Issue.record("libjpeg says \(expected)")
                continue
            }
            #expect(Self.decode(file, by: ours) == expected)
        }
    }

    /// The places of bytes of ones that stand for themselves, behind the header.
    private static func stuffed(in file: [UInt8]) -> [Int] {
        file.indices.dropLast().filter { file[$0] == 0xFF && file[$0 + 1] == 0 }
    }

    @Test("More bytes of ones before a zero or a marker change nothing") func fillBytes() throws {
        for restartRows in [0, 1] {
            let file = [UInt8](try JPEGFile(quality: 95, restartRows: restartRows).write(Self.noise(128, 128)))
            let whole = Self.decode(Data(file), by: libjpegs)
            // libjpeg's fast way, which goes without restart markers, leaves false coefficients where such bytes are.
            let others = restartRows > 0 ? [ours, libjpegs] : [ours]
            let restart = place(ofMarker: 0xD0, in: file)
            for place in Self.stuffed(in: file).prefix(40) + [restart].compactMap(\.self) {
                for count in [1, 2, 40_000] {
                    let filled = Data(file[..<place] + [UInt8](repeating: 0xFF, count: count) + file[place...])
                    for decoder in others { #expect(Self.decode(filled, by: decoder) == whole) }
                }
            }
        }
    }

    @Test("Cut short at any byte it is as damaged as for libjpeg") func truncated() throws {
        for kind in [JPEGFile(quality: 90), JPEGFile(quality: 90, restartRows: 1)] {
            let file = try kind.write(SampleScene.beach.draw(width: 50, height: 40))
            for length in 4..<file.count {
                let expected = Self.decode(file.prefix(length), by: libjpegs)
                #expect(Self.decode(file.prefix(length), by: ours) == expected, "\(length) bytes")
            }
        }
        let long = try JPEGFile(quality: 100).write(Self.noise(250, 200))
        #expect(long.count > 60_000, "several windows")
        for length in stride(from: 300, through: long.count, by: 997) {
            #expect(Self.decode(long.prefix(length), by: ours) == Self.decode(long.prefix(length), by: libjpegs))
        }
        #expect(Self.decode(long, by: ours) == Self.decode(long, by: libjpegs))
    }

    @Test("A picture without its own tables does not get those of the one before", arguments: [0xC4, 0xDB])
    func tablesOfAnother(marker: UInt8) throws {
        var bare = [UInt8](try JPEGFile(quality: 50).write(Self.noise(40, 40)))
        while let start = place(ofMarker: marker, in: bare) {
            bare.removeSubrange(start..<start + 2 + Int(bare[start + 2]) << 8 + Int(bare[start + 3]))
        }
        let alone = Self.decode(Data(bare), by: try JPEGDecoder())
        let other = try JPEGFile(quality: 95).write(Self.noise(40, 40))
        guard case .pixels = Self.decode(other, by: ours) else {
            Issue.record("the other picture is sound")
            return
        }
        #expect(Self.decode(Data(bare), by: ours) == alone)
    }

    /// Where codes are in doubt libjpeg's fast way passes over some that are none: to us they are damage, like all others.
    @Test("What libjpeg calls damaged is damaged, and what both read is the same") func mutated() throws {
        var random = SeededGenerator(2027)
        for kind in [JPEGFile(quality: 70), JPEGFile(quality: 98), JPEGFile(quality: 85, restartRows: 1)] {
            let file = [UInt8](try kind.write(Self.noise(90, 75)))
            let scan = try #require(place(ofMarker: 0xDA, in: file))
            var (equal, stricter) = (0, 0)
            for _ in 0..<1500 {
                var bytes = file
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    // Tables in one of four.
                    let places = Int.random(in: 0..<4, using: &random) == 0 ? 20..<scan : scan..<bytes.count
                    bytes[Int.random(in: places, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                let (expected, got) = (Self.decode(Data(bytes), by: libjpegs), Self.decode(Data(bytes), by: ours))
                if got == expected {
                    equal += 1
                } else if case .pixels = expected, got == .error(.imageCorrupt) {
                    stricter += 1
                } else {
                    Issue.record("ours and libjpeg's differ")
                }
            }
            #expect(equal > 1000, "\(equal) alike, \(stricter) that only we call damaged")
        }
    }
}
