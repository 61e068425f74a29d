import Foundation
import TestSupport
import Testing

@testable import Training

/// Against what PyTorch computed (Tests/Tools/make_training_golden.py).
@Suite("Training against PyTorch")
struct PyTorchTests {
    private struct Golden: Decodable {
        struct Caption: Decodable {
            var image: Int
            var words: [Int32]
        }

        var features: [Float]
        var sizes: [Int]
        var smoothing: Float
        var rate: Double
        var clip: Double
        var weights: [String: [Float]]
        var batches: [[Caption]]
        var losses: [Double]
        var norms: [Double]
        var gradients: [String: [Double]]
        var final: [String: [Double]]
    }

    @Test func twentyStepsOfAdam() throws {
        let file = SharedFiles.packageRoot.appendingPathComponent("Tests/Tools/training_golden.json")
        let golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
        let shape = DecoderShape(
            feature: golden.sizes[0], embedding: golden.sizes[1], hidden: golden.sizes[2], words: golden.sizes[3])
        let features = FeatureTable(images: golden.sizes[4], copies: 1, size: shape.feature)
        for (index, value) in golden.features.enumerated() { features.row(0)[index] = value }
        let (weights, gradients) = (DecoderParameters(shape: shape), DecoderParameters(shape: shape))
        for tensor in DecoderTensor.allCases {
            for (index, value) in try #require(golden.weights[tensor.rawValue]).enumerated() {
                weights[tensor][index] = value
            }
        }
        let pass = DecoderPass(shape: shape, threads: 1)
        let adam = Adam(shape: shape)
        var batch = CaptionBatch()
        for (step, captions) in golden.batches.enumerated() {
            batch.pack(captions.map { BatchCaption(image: $0.image, words: $0.words) }, start: 1, end: 2)
            let targets = captions.reduce(0) { $0 + $1.words.count + 1 }
            let loss = pass.run(
                batch, features: features, weights: weights, gradients: gradients, smoothing: golden.smoothing,
                dropout: nil, scale: 1 / Float(targets))
            #expect(abs(loss.mean - golden.losses[step]) < 1e-4, "step \(step): \(loss.mean), \(golden.losses[step])")
            if step == 0 {
                for tensor in DecoderTensor.allCases {
                    let expected = try #require(golden.gradients[tensor.rawValue])
                    let error = relativeError(values(gradients, tensor), expected)
                    #expect(error < 1e-5, "\(tensor.rawValue): relative error \(error)")
                }
            }
            let norm = adam.update(weights, gradients: gradients, rate: golden.rate, largestNorm: golden.clip)
            #expect(abs(norm - golden.norms[step]) < 1e-4 * golden.norms[step])
            pass.clearEmbeddingGradients(gradients, of: batch)
        }
        for tensor in DecoderTensor.allCases {
            let expected = try #require(golden.final[tensor.rawValue])
            #expect(relativeError(values(weights, tensor), expected) < 1e-3, "\(tensor.rawValue)")
        }
    }
}
