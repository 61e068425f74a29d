import Foundation
import PictureDrawing
import TestSupport
import Testing

@testable import Inference

/// Real photographs against Pillow.
@Suite(.enabled(if: SharedFiles.isPresent, "shared/ is absent"))
struct PhotographTests {
    private static func photographs() throws -> [URL] {
        try FileManager.default.contentsOfDirectory(
            at: SharedFiles.url("flickr8k/originals"), includingPropertiesForKeys: nil
        ).sorted { $0.path < $1.path }
    }

    private func compare(
        _ preprocessing: Preprocessing, meanAtMost: Float, mostAtMost: Float
    ) async throws {
        let files = try Self.photographs()
        #expect(files.count == 40)
        let expected = try await Pillow().resized(
            files, width: preprocessing.width, height: preprocessing.height, mode: preprocessing.resize.rawValue,
            side: preprocessing.effectiveResizeSide)
        let reader = ImageReader(preprocessing: preprocessing)
        for (file, pillow) in zip(files, expected) {
            let ours = try readPixels(Data(contentsOf: file), preprocessing, reader: reader)
            let (mean, most) = difference(ours, pillow)
            #expect(mean <= meanAtMost, "\(file.lastPathComponent)")
            #expect(most <= mostAtMost, "\(file.lastPathComponent)")
        }
    }

    @Test("Stretched to 224×224, without scaled decoding", arguments: [224, 160])
    func stretched(side: Int) async throws {
        try await compare(.plain(side, side), meanAtMost: 0.02, mostAtMost: 2)
    }

    @Test("The shorter side to 256, the middle 224×224")
    func cropped() async throws {
        try await compare(.plain(224, 224, resize: .shortSideCrop), meanAtMost: 0.02, mostAtMost: 2)
    }

    @Test("With scaled decoding, where the target leaves room for it", arguments: [112, 140])
    func scaled(side: Int) async throws {
        try await compare(.plain(side, side, scaledDecoding: true), meanAtMost: 1.5, mostAtMost: 255)
    }

    @Test("Turned by Exif's orientation", arguments: [2, 3, 5, 6, 8])
    func turned(orientation: Int) async throws {
        let folder = try TemporaryDirectory()
        let files = try Self.photographs().prefix(6).map { file in
            let tagged = Exif.added(to: try Data(contentsOf: file), tiff: Exif.tiff(orientation: orientation))
            return try folder.write(file.lastPathComponent, tagged)
        }
        let preprocessing = Preprocessing.plain(200, 150)
        for (file, pillow) in zip(files, try await Pillow().resized(files, width: 200, height: 150)) {
            let (mean, most) = difference(try readPixels(Data(contentsOf: file), preprocessing), pillow)
            #expect(mean <= 0.02, "\(file.lastPathComponent)")
            #expect(most <= 2, "\(file.lastPathComponent)")
        }
    }

    @Test("Other kinds of file, of our own pictures") func kinds() async throws {
        let folder = try TemporaryDirectory()
        let scene = SampleScene.beach.draw(width: 200, height: 150)
        let ink = scene.pixels.enumerated().flatMap { index, value -> [UInt8] in
            index % 3 == 2 ? [value, 200] : [value]
        }
        let veiled = scene.pixels.enumerated().flatMap { index, value -> [UInt8] in
            index % 3 == 2 ? [value, UInt8(index / 3 % 256)] : [value]
        }
        let files = [
            try folder.write(
                "grey.jpg", JPEGFile(colour: .grey).write(Array(veiled.prefix(30_000)), width: 200, height: 150)),
            try folder.write("progressive.jpg", JPEGFile(isProgressive: true).write(scene)),
            try folder.write("rgb.jpg", JPEGFile(colour: .rgb).write(scene)),
            try folder.write("cmyk.jpg", JPEGFile(colour: .cmyk).write(ink, width: 200, height: 150)),
            try folder.write("ycck.jpg", JPEGFile(colour: .ycck).write(ink, width: 200, height: 150)),
            try folder.write("rgba.png", PNGFile(colour: .rgba).write(veiled, width: 200, height: 150)),
            try folder.write("interlaced.png", PNGFile(isInterlaced: true).write(scene)),
        ]
        let preprocessing = Preprocessing.plain(64, 48)
        for (file, pillow) in zip(files, try await Pillow().resized(files, width: 64, height: 48)) {
            let (mean, most) = difference(try readPixels(Data(contentsOf: file), preprocessing), pillow)
            // The roundings of ink and alpha to RGB differ by one now and then.
            #expect(mean <= 0.5, "\(file.lastPathComponent)")
            #expect(most <= 2, "\(file.lastPathComponent)")
        }
    }
}
