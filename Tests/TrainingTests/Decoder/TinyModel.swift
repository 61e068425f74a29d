import TestSupport

@testable import Training

/// A decoder so small that everything of it can be looked at, with features and captions.
struct TinyModel {
    var shape = DecoderShape(feature: 5, embedding: 6, hidden: 7, words: 19)
    var weights: DecoderParameters
    var features: FeatureTable
    var captions: [BatchCaption]

    init(seed: UInt64 = 1, words: Int = 19) {
        shape.words = words
        weights = DecoderParameters(shape: shape)
        weights.initialise(seed: seed)
        var random = SeededGenerator(seed)
        for tensor in [DecoderTensor.outputWeight, .embedding, .imageBias, .outputBias, .recurrentBias] {
            for index in 0..<tensor.dimensions(shape).reduce(1, *) {
                weights[tensor][index] = Float.random(in: -0.8...0.8, using: &random)
            }
        }
        features = FeatureTable(images: 4, copies: 2, size: shape.feature)
        for image in 0..<4 {
            for copy in 0..<2 {
                for index in 0..<shape.feature {
                    features.row(image, copy: copy)[index] = Float.random(in: -1...1, using: &random)
                }
            }
        }
        captions = (0..<6).map { number in
            BatchCaption(
                image: number % 4, copy: number % 2,
                words: (0..<(1 + number * 2 % 5)).map { _ in Int32.random(in: 3..<Int32(words), using: &random) })
        }
    }

    func feature(_ image: Int, _ copy: Int) -> [Double] {
        UnsafeBufferPointer(start: features.row(image, copy: copy), count: shape.feature).map(Double.init)
    }

    /// Loss and gradients of one pass.
    func pass(
        smoothing: Float = 0.1, dropout: DropoutNoise? = nil, threads: Int = 1
    ) -> (loss: DecoderPass.Loss, gradients: DecoderParameters) {
        var batch = CaptionBatch()
        batch.pack(captions, start: 1, end: 2)
        let gradients = DecoderParameters(shape: shape)
        let loss = DecoderPass(shape: shape, threads: threads).run(
            batch, features: features, weights: weights, gradients: gradients, smoothing: smoothing, dropout: dropout,
            scale: 1)
        return (loss, gradients)
    }
}

func values(_ parameters: DecoderParameters, _ tensor: DecoderTensor) -> [Float] {
    Array(UnsafeBufferPointer(start: parameters[tensor], count: tensor.dimensions(parameters.shape).reduce(1, *)))
}

/// max|a − b| ÷ max|b|.
func relativeError(_ found: [Float], _ expected: [Double]) -> Double {
    let largest = expected.map(abs).max() ?? 0
    return (zip(found, expected).map { abs(Double($0) - $1) }.max() ?? 0) / max(largest, 1e-30)
}
