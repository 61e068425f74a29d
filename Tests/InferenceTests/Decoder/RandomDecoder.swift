import Inference
import TestSupport

/// A decoder of random weights, to be tried against `ReferenceDecoder`.
struct RandomDecoder {
    var configuration: DecoderConfiguration
    var vocabulary: [String]
    var tensors: [String: WeightTensor]

    init(
        seed: UInt64, feature: Int, embedding: Int, hidden: Int, words: Int, lengthExponent: Double = 1,
        endBias: Float = 0
    ) {
        var generator = SeededGenerator(seed)
        configuration = DecoderConfiguration(
            featureSize: feature, embeddingSize: embedding, hiddenSize: hidden, lengthExponent: lengthExponent)
        vocabulary = (0..<words).map { "w\($0)" }
        func tensor(_ shape: Int..., scale: Float) -> WeightTensor {
            WeightTensor(shape: shape, values: generator.floats(shape.reduce(1, *), scale: scale))
        }
        tensors = [
            "image.weight": tensor(embedding, feature, scale: 0.7),
            "image.bias": tensor(embedding, scale: 0.5),
            "embedding.weight": tensor(words, embedding, scale: 1.5),
            "lstm.weight_ih_l0": tensor(4 * hidden, embedding, scale: 1),
            "lstm.weight_hh_l0": tensor(4 * hidden, hidden, scale: 0.8),
            "lstm.bias_ih_l0": tensor(4 * hidden, scale: 0.5),
            "lstm.bias_hh_l0": tensor(4 * hidden, scale: 0.5),
            "output.weight": tensor(words, hidden, scale: 2),
            "output.bias": tensor(words, scale: 1),
        ]
        tensors["output.bias"]?.values[configuration.tokens.end] += endBias
    }

    /// Makes `word` behave as `original` in everything, so that the two tie.
    mutating func duplicate(_ original: Int, as word: Int) {
        for name in ["embedding.weight", "output.weight", "output.bias"] {
            guard var tensor = tensors[name] else { continue }
            let row = tensor.shape.dropFirst().reduce(1, *)
            tensor.values.replaceSubrange(
                word * row..<(word + 1) * row, with: tensor.values[original * row..<(original + 1) * row])
            tensors[name] = tensor
        }
    }

    func weights(_ name: String) throws -> WeightTensor {
        guard let tensor = tensors[name] else { throw ModelError("no tensor \(name)") }
        return tensor
    }

    func make(_ instructionSet: InstructionSet = .best) throws -> CaptionDecoder {
        try CaptionDecoder(
            configuration: configuration, weights: weights, vocabulary: vocabulary, instructionSet: instructionSet)
    }

    func feature(_ seed: UInt64) -> [Float] {
        var generator = SeededGenerator(seed &+ 1000)
        return generator.floats(configuration.featureSize, scale: 2)
    }
}

/// Steps until nothing is under way, and gives the results by slot.
func finishAll(_ stepper: CaptionStepper) -> [Int: Result<[CaptionCandidate], InferenceError>] {
    var results: [Int: Result<[CaptionCandidate], InferenceError>] = [:]
    while !stepper.isEmpty {
        stepper.step()
        stepper.takeFinished { results[$0] = $1 }
    }
    return results
}

/// The captions of one feature with no other beside it.
func captionsAlone(_ decoder: CaptionDecoder, _ feature: [Float], _ options: CaptionOptions) throws
    -> [CaptionCandidate]
{
    let stepper = CaptionStepper(decoder: decoder, slots: 1)
    let slot = try stepper.admit(feature: feature, options: options)
    guard let result = finishAll(stepper)[slot] else { throw InferenceError(.internal, "no result") }
    return try result.get()
}
