import Foundation
import Inference
import TestSupport
import Testing

@testable import Training

@Suite("Features")
struct FeatureTests {
    private let model = SharedFiles.packageRoot.appendingPathComponent("Models/kaption-small").path

    private func pictures(_ folder: TemporaryDirectory, _ count: Int) throws -> [String] {
        try (0..<count).map { number in
            try folder.write("\(number).png", TestPicture.png(width: 30 + number, height: 24, seed: UInt64(number)))
            return "\(number).png"
        }
    }

    private func values(_ table: FeatureTable, _ image: Int, _ copy: Int = 0) -> [Float] {
        Array(UnsafeBufferPointer(start: table.row(image, copy: copy), count: table.size))
    }

    @Test func encodesOnceAndKeeps() throws {
        let folder = try TemporaryDirectory()
        let names = try pictures(folder, 5)
        let bundle = try ModelBundle.load(directory: model)
        let cache = folder.url.appendingPathComponent("cache").path
        func run(_ names: [String], flips: Bool = true) throws -> FeatureExtraction.Result {
            try FeatureExtraction(bundle: bundle, cacheFolder: cache, flips: flips).run(
                images: names, folder: folder.url.path, threads: 2, mostBroken: 0)
        }
        let first = try run(Array(names.prefix(3)))
        #expect(first.cached == 0 && first.broken.isEmpty && first.features.copies == 2)
        #expect(values(first.features, 0) != values(first.features, 0, 1), "flipped images look different")
        let second = try run(names)
        #expect(second.cached == 3, "those of the first run are there")
        for image in 0..<3 {
            for copy in 0..<2 { #expect(values(second.features, image, copy) == values(first.features, image, copy)) }
        }
        // A record cut off in mid-write, as by SIGKILL, is made anew; the others stay.
        let file = try #require(try FileManager.default.contentsOfDirectory(atPath: cache).first)
        let path = URL(fileURLWithPath: cache).appendingPathComponent(file)
        let bytes = try Data(contentsOf: path)
        try bytes.dropLast(100).write(to: path)
        let third = try run(names)
        #expect(third.cached == 4)
        for image in names.indices { #expect(values(third.features, image) == values(second.features, image)) }
        // So is a damaged one.
        var damaged = bytes
        damaged[bytes.count - 50] ^= 1
        try damaged.write(to: path)
        #expect(try run(names).cached == 4)
        try Data("something else".utf8).write(to: path)
        #expect(throws: TrainingError.self) { try run(names) }
    }

    /// What the encoder itself makes of the picture, and of the picture drawn the other way round.
    @Test func areTheEncodersOwn() throws {
        let folder = try TemporaryDirectory()
        let names = try pictures(folder, 1)
        let bundle = try ModelBundle.load(directory: model)
        let result = try FeatureExtraction(bundle: bundle, cacheFolder: nil, flips: true).run(
            images: names, folder: folder.url.path, threads: 1, mostBroken: 0)
        let encoder = try Encoder(graph: bundle.manifest.encoder, weights: bundle.tensor)
        let workspace = encoder.makeWorkspace(maximumBatch: 1)
        let bytes = try Data(contentsOf: folder.url.appendingPathComponent(names[0]))
        try bytes.withUnsafeBytes {
            try ImageReader(preprocessing: bundle.manifest.preprocessing).read(
                $0, into: workspace.input, pixelStride: 4)
        }
        let (width, height) = (encoder.inputWidth, encoder.inputHeight)
        let pixels = Array(UnsafeBufferPointer(start: workspace.input, count: 4 * width * height))
        for copy in 0..<2 {
            for place in 0..<width * height {
                let source = copy == 0 ? place : place / width * width + (width - 1 - place % width)
                for channel in 0..<4 { workspace.input[4 * place + channel] = pixels[4 * source + channel] }
            }
            workspace.encode(row: 0)
            workspace.finish(rows: 1)
            let expected = (0..<encoder.featureSize).map { Double(workspace.features(row: 0)[$0]) }
            #expect(relativeError(values(result.features, 0, copy), expected) < 1e-5)
        }
    }

    @Test func brokenImagesAreNamedUpToALimit() throws {
        let folder = try TemporaryDirectory()
        var names = try pictures(folder, 3)
        try folder.write("broken.jpg", Data("no picture".utf8))
        names.insert("broken.jpg", at: 1)
        names.append("missing.png")
        let extraction = try FeatureExtraction(
            bundle: ModelBundle.load(directory: model), cacheFolder: nil, flips: false)
        let result = try extraction.run(images: names, folder: folder.url.path, threads: 2, mostBroken: 2)
        #expect(result.broken.map(\.name) == ["broken.jpg", "missing.png"])
        #expect(result.broken[0].reason.contains("image_unsupported"))
        #expect(result.features.without([1, 4]).images == 3)
        let error = #expect(throws: TrainingError.self) {
            try extraction.run(images: names, folder: folder.url.path, threads: 2, mostBroken: 1)
        }
        #expect(error?.message.contains("more than 1 images are missing or broken") == true)
    }
}
