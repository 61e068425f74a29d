import Testing

@testable import Training

@Suite("Gradients against finite differences")
struct GradientTests {
    /// Every element of every tensor, by central differences of the reference's loss in double precision.
    @Test(arguments: [Float(0), 0.1])
    func agree(smoothing: Float) {
        var model = TinyModel()
        model.captions[1].weight = -0.7
        model.captions[2].weight = 2.5
        model.captions[4].ends = false
        let (_, gradients) = model.pass(smoothing: smoothing)
        var reference = ReferenceDecoder(model.weights)
        let step = 1e-5
        for tensor in DecoderTensor.allCases {
            let count = tensor.dimensions(model.shape).reduce(1, *)
            let expected = (0..<count).map { index in
                let value = reference.weights[tensor]?[index] ?? 0
                var losses: [Double] = []
                for change in [step, -step] {
                    reference.weights[tensor]?[index] = value + change
                    losses.append(
                        reference.loss(model.captions, features: model.feature, smoothing: Double(smoothing)))
                }
                reference.weights[tensor]?[index] = value
                return (losses[0] - losses[1]) / (2 * step)
            }
            let error = relativeError(values(gradients, tensor), expected)
            #expect(error < 1e-3, "\(tensor.rawValue): relative error \(error)")
        }
    }

    @Test func lossIsTheReferences() {
        let model = TinyModel()
        let (loss, _) = model.pass()
        let expected = ReferenceDecoder(model.weights).loss(model.captions, features: model.feature, smoothing: 0.1)
        #expect(abs(loss.sum - expected) < 1e-5 * expected)
        #expect(loss.targets == model.captions.reduce(0) { $0 + $1.words.count + 1 })
    }

    /// With dropout the network is another one, whose gradient is the same function of its masks: seen by differences of its
    /// own loss.
    @Test func agreeWithDropout() {
        let model = TinyModel()
        let noise = DropoutNoise(share: 0.4, seed: 3, step: 5)
        let (_, gradients) = model.pass(smoothing: 0, dropout: noise)
        for tensor in DecoderTensor.allCases {
            // Along the gradient itself, where the difference is largest against the rounding of single precision.
            let gradient = values(gradients, tensor)
            let length = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
            guard length > 0 else { continue }
            let step: Float = 5e-3
            var losses: [Double] = []
            for change in [step, -step] {
                let moved = TinyModel()
                for (index, value) in gradient.enumerated() { moved.weights[tensor][index] += change * value / length }
                losses.append(moved.pass(smoothing: 0, dropout: noise).loss.sum)
            }
            let slope = (losses[0] - losses[1]) / Double(2 * step)
            #expect(abs(slope - Double(length)) < 5e-3 * Double(length), "\(tensor.rawValue): \(slope), \(length)")
        }
    }

    @Test func wordsOfTheSameBatchShareTheirMask() {
        // The same caption twice has the same loss twice only if its words' masks do not depend on the place.
        var model = TinyModel()
        model.captions = [BatchCaption(image: 0, words: [5, 6, 5])]
        let (_, gradients) = model.pass(dropout: DropoutNoise(share: 0.5, seed: 1, step: 1))
        let row = values(gradients, .embedding)[5 * 6..<6 * 6]
        #expect(row.contains(0) && row.contains { $0 != 0 })
        #expect(values(gradients, .embedding)[7 * 6..<8 * 6].allSatisfy { $0 == 0 }, "a word that is not there")
    }

    @Test func clearingLeavesNoEmbeddingGradient() {
        let model = TinyModel()
        var batch = CaptionBatch()
        batch.pack(model.captions, start: 1, end: 2)
        let (_, gradients) = model.pass()
        DecoderPass(shape: model.shape, threads: 1).clearEmbeddingGradients(gradients, of: batch)
        #expect(values(gradients, .embedding).allSatisfy { $0 == 0 })
    }
}
