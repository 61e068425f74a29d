import Foundation
import TestSupport
import Testing

@testable import Inference

/// Features of 64 photographs, from the files' bytes on, against those that PyTorch made.
@Suite("Encoder against PyTorch's features of photographs", .enabled(if: SharedFiles.isPresent))
struct EncoderGoldenTests {
    /// Largest relative error (max|a − b| ÷ max|b|) and smallest cosine over the golden images.
    private func compare(
        _ model: String, _ encoder: Encoder, _ preprocessing: Preprocessing, images: Int
    ) throws -> (error: Double, cosine: Double) {
        let golden = try GoldenFile.load(model)
        let features = try GoldenFile.features(model, size: encoder.featureSize)
        #expect(golden.images.count == 64 && features.count == 64)
        let reader = ImageReader(preprocessing: preprocessing)
        let workspace = encoder.makeWorkspace(maximumBatch: 8)
        var (error, cosine) = (0.0, 1.0)
        for start in stride(from: 0, to: images, by: 8) {
            let rows = min(8, images - start)
            for row in 0..<rows {
                let photograph = SharedFiles.url("flickr8k/images/\(golden.images[start + row].image)")
                try Data(contentsOf: photograph).withUnsafeBytes {
                    try reader.read($0, into: workspace.input, pixelStride: Encoder.inputPixelStride)
                }
                workspace.encode(row: row)
            }
            workspace.finish(rows: rows)
            for row in 0..<rows {
                let found = workspace.feature(row: row, of: encoder)
                let expected = features[start + row].map(Double.init)
                error = max(error, relativeError(found, expected))
                cosine = min(cosine, Self.cosine(found.map(Double.init), expected))
            }
        }
        return (error, cosine)
    }

    private static func cosine(_ a: [Double], _ b: [Double]) -> Double {
        func product(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).map(*).reduce(0, +) }
        return product(a, b) / (product(a, a) * product(b, b)).squareRoot()
    }

    @Test(arguments: ["reference", "kaption-small"], InstructionSet.available)
    func importedFromONNX(model: String, instructionSet: InstructionSet) throws {
        let folder = SharedFiles.url("models/\(model)").path
        let configuration = try ImportConfiguration(path: "\(folder)/config.json")
        var preprocessing = configuration.preprocessing
        // The golden pixels come from a whole decoding.
        preprocessing.scaledDecoding = false
        let (graph, tensors) = try GraphImporter.importEncoder(
            path: "\(folder)/encoder.onnx", height: preprocessing.height, width: preprocessing.width,
            input: configuration.file.encoder.input, output: configuration.file.encoder.output)
        let encoder = try Encoder(
            graph: graph,
            weights: { name in
                guard let tensor = tensors[name] else { throw ModelError("no tensor \(name)") }
                return tensor
            }, instructionSet: instructionSet)
        // The plain kernels call a function for each multiplication: a few images are enough for them.
        let result = try compare(model, encoder, preprocessing, images: instructionSet == .plain ? 2 : 64)
        print("\(model), \(instructionSet): relative error \(result.error), cosine \(result.cosine)")
        #expect(result.error < 1e-3)
        #expect(result.cosine > 0.99999)
    }
}
