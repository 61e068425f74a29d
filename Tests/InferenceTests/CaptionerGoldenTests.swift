import Foundation
import TestSupport
import Testing

@testable import Inference

/// The whole way, from JPEG bytes to captions, against what PyTorch made of 64 photographs.
@Suite("Captioner against PyTorch's captions of photographs", .enabled(if: SharedFiles.isPresent))
struct CaptionerGoldenTests {
    static let instructionSets = InstructionSet.available.filter { $0 != .plain }

    private func importModel(_ name: String, weights: ModelImport.Weights, to directory: TemporaryDirectory) throws
        -> String
    {
        let folder = SharedFiles.url("models/\(name)").path
        let bundle = directory.url.appendingPathComponent(name).path
        let source = ModelImport(
            encoder: "\(folder)/encoder.onnx", decoder: "\(folder)/decoder.safetensors",
            vocabulary: "\(folder)/vocabulary.txt", configuration: "\(folder)/config.json", weights: weights)
        try source.run(to: bundle)
        return bundle
    }

    /// Photographs of a golden file, the distance of their features and the number of caption lists that are the same.
    private struct Comparison {
        /// max|a − b| ÷ max|b| over all features.
        var relativeError: Float
        var cosine: Double
        /// By beam.
        var agreeing: [Int: Int]
        var logProbabilityError: Double
    }

    private func compare(_ captioner: Captioner, with model: String) throws -> Comparison {
        let golden = try GoldenFile.load(model)
        let expected = try GoldenFile.features(model, size: captioner.encoder.featureSize)
        try #require(golden.images.count == 64 && expected.count == 64)
        let reader = ImageReader(preprocessing: captioner.preprocessing)
        let encoder = captioner.encoder.makeWorkspace(maximumBatch: 1)
        let session = captioner.makeSession(maximumBatch: 3)
        var difference: Float = 0
        var largest: Float = 0
        var sums = (product: 0.0, found: 0.0, expected: 0.0)
        var comparison = Comparison(relativeError: 0, cosine: 0, agreeing: [:], logProbabilityError: 0)
        for (image, feature) in zip(golden.images, expected) {
            let file = try Data(contentsOf: SharedFiles.url("flickr8k/images/\(image.image)"))
            try file.withUnsafeBytes { bytes in
                try reader.read(bytes, into: encoder.input, pixelStride: Encoder.inputPixelStride)
                encoder.encode(row: 0)
                encoder.finish(rows: 1)
                for (found, wanted) in zip(
                    UnsafeBufferPointer(start: encoder.features(row: 0), count: feature.count), feature)
                {
                    difference = max(difference, abs(found - wanted))
                    largest = max(largest, abs(wanted))
                    sums.product += Double(found) * Double(wanted)
                    sums.found += Double(found) * Double(found)
                    sums.expected += Double(wanted) * Double(wanted)
                }
                let beams = [1, 3, 5]
                let inputs = beams.map {
                    CaptionSession.Input(bytes: bytes, options: CaptionOptions(beam: $0, candidates: $0))
                }
                session.caption(inputs) { index, result in
                    let (beam, wanted) = (beams[index], image.captions(beam: beams[index]))
                    guard let found = try? result.get().candidates else {
                        Issue.record("\(image.image) failed")
                        return
                    }
                    guard found.map(\.caption) == wanted.map(\.caption) else { return }
                    comparison.agreeing[beam, default: 0] += 1
                    for (one, other) in zip(found, wanted) {
                        let error = abs(Double(one.logProbability) - other.logProbability)
                        comparison.logProbabilityError = max(comparison.logProbabilityError, error)
                    }
                }
            }
        }
        comparison.relativeError = difference / largest
        comparison.cosine = sums.product / (sums.found * sums.expected).squareRoot()
        return comparison
    }

    @Test(arguments: instructionSets)
    func referenceModel(instructionSet: InstructionSet) throws {
        let directory = try TemporaryDirectory()
        let bundle = try importModel("reference", weights: .f32, to: directory)
        let comparison = try compare(Captioner(bundle: bundle, instructionSet: instructionSet), with: "reference")
        print("reference, \(instructionSet): \(comparison)")
        #expect(comparison.relativeError < 1e-3)
        #expect(comparison.agreeing == [1: 64, 3: 64, 5: 64])
        #expect(comparison.logProbabilityError < 2e-3)
    }

    @Test("Weights as halves", arguments: instructionSets)
    func smallModel(instructionSet: InstructionSet) throws {
        let directory = try TemporaryDirectory()
        let bundle = try importModel("kaption-small", weights: .f16, to: directory)
        let comparison = try compare(Captioner(bundle: bundle, instructionSet: instructionSet), with: "kaption-small")
        print("kaption-small, \(instructionSet): \(comparison)")
        #expect(comparison.relativeError < 1e-2)
        #expect((comparison.agreeing[3] ?? 0) >= 60)
    }
}
