import Foundation
import PictureDrawing
import TestSupport
import Testing

@testable import Inference

/// The resize against what Pillow made of the same pictures (`Tests/Tools/make_pillow_golden.py`).
@Suite struct ResizeTests {
    struct Golden: Decodable {
        struct Case: Decodable, Sendable, CustomStringConvertible {
            var source: [Int]
            var target: [Int]
            var side: Int
            var pixels: Data

            var description: String { "\(source) to \(target), side \(side)" }
        }
        var cases: [Case]
    }

    private static let golden: [Golden.Case] = {
        let file = SharedFiles.packageRoot.appendingPathComponent("Tests/Tools/pillow_golden.json")
        guard let data = try? Data(contentsOf: file) else { return [] }
        return (try? JSONDecoder().decode(Golden.self, from: data))?.cases ?? []
    }()

    /// The formula of the script.
    static func source(_ width: Int, _ height: Int) -> Picture {
        var pixels = [UInt8]()
        for y in 0..<height {
            for x in 0..<width {
                pixels.append(UInt8((x * 37 + y * 11 + x * y % 29 * 5) % 256))
                pixels.append(UInt8((x * x + 3 * y * y) / 7 % 256))
                pixels.append(UInt8(255 * ((x / 3 + y / 2) % 2)))
            }
        }
        return Picture(width: width, height: height, pixels: pixels)
    }

    @Test("The golden file is there") func goldenIsThere() {
        #expect(Self.golden.count == 15)
    }

    @Test("Equal to Pillow's", arguments: golden) func equalsPillow(_ golden: Golden.Case) throws {
        let file = try PNGFile().write(Self.source(golden.source[0], golden.source[1]))
        let preprocessing = Preprocessing.plain(
            golden.target[0], golden.target[1], resize: golden.side == 0 ? .stretch : .shortSideCrop,
            resizeSide: golden.side == 0 ? nil : golden.side)
        #expect(try readPixels(file, preprocessing) == golden.pixels.map(Float.init))
    }

    @Test("A picture of the target's size keeps every value") func sameSize() throws {
        let picture = Self.source(37, 23)
        #expect(try readPixels(PNGFile().write(picture), .plain(37, 23)) == pixels(of: picture))
    }

    @Test("What a reader has read before does not change a bit") func readerKeepsNothing() throws {
        let sizes = [(64, 48), (300, 20), (5, 200), (64, 48), (1, 1), (7, 7), (300, 20)]
        let preprocessing = Preprocessing.plain(24, 18)
        let reused = ImageReader(preprocessing: preprocessing)
        for (width, height) in sizes {
            let file = try PNGFile().write(Self.source(width, height))
            let fresh = try readPixels(file, preprocessing)
            #expect(try readPixels(file, preprocessing, reader: reused) == fresh)
        }
    }

    @Test("Sides and offsets of the crop are torchvision's")
    func cropGeometry() {
        func geometry(_ width: Int, _ height: Int) -> ResizeGeometry {
            ResizeGeometry(
                width: width, height: height, orientation: .upright,
                preprocessing: .plain(224, 224, resize: .shortSideCrop))
        }
        // torchvision.transforms: Resize(256) then CenterCrop(224); the offset of an odd difference rounds half to even.
        let landscape = geometry(500, 375)
        #expect(landscape.columns == .init(length: 341, offset: 58, count: 224, isMirrored: false))
        #expect(landscape.rows == .init(length: 256, offset: 16, count: 224, isMirrored: false))
        let portrait = geometry(333, 500)
        #expect(portrait.columns == .init(length: 256, offset: 16, count: 224, isMirrored: false))
        #expect(portrait.rows == .init(length: 384, offset: 80, count: 224, isMirrored: false))
    }

    @Test("The crop's default side is 256 for 224, in proportion", arguments: [(224, 256), (299, 342), (160, 183)])
    func defaultSide(crop: Int, side: Int) {
        #expect(Preprocessing.plain(crop, crop, resize: .shortSideCrop).effectiveResizeSide == side)
    }

    @Test("A JPEG is decoded at a part of its size only above 1.5 times the target")
    func scaledDecodingFactor() {
        func eighths(_ width: Int, _ height: Int, _ preprocessing: Preprocessing) -> Int {
            ResizeGeometry(width: width, height: height, orientation: .upright, preprocessing: preprocessing)
                .eighths(width: width, height: height)
        }
        let stretched = Preprocessing.plain(224, 224)
        #expect(eighths(500, 375, stretched) == 8)
        #expect(eighths(671, 4000, stretched) == 4)  // (671 + 1) / 2 = 336 = 1.5 × 224
        #expect(eighths(670, 4000, stretched) == 8)
        #expect(eighths(1344, 1344, stretched) == 2)
        #expect(eighths(4000, 3000, stretched) == 1)
        // The shorter side becomes 256, the longer 341: 375 < 1.5 × 256.
        let cropped = Preprocessing.plain(224, 224, resize: .shortSideCrop)
        #expect(eighths(4000, 3000, cropped) == 2)
        #expect(eighths(4096, 3072, cropped) == 1)
    }
}
