import Kernels

/// The decoder of Show and Tell (Vinyals et al., "Show and Tell: A Neural Image Caption Generator", CVPR 2015, section 3):
/// an LSTM whose first input is the image, then the start token, then the words. Weights only, shared by all threads.
public final class CaptionDecoder: Sendable {
    public let configuration: DecoderConfiguration
    public let vocabulary: [String]

    let isa: kaption_isa
    /// feature → embedding
    let image: PackedLinear
    /// embedding → gates, both biases included; only the image still goes through it.
    let input: PackedLinear
    /// hidden → gates
    let recurrent: PackedLinear
    /// hidden → logits
    let output: PackedLinear
    let wordGates: WordGates

    /// Checks every weight's shape and packs them.
    ///
    /// - Parameters:
    ///   - weights: gives a tensor by its PyTorch name: `image.{weight,bias}`, `embedding.weight`,
    ///     `lstm.{weight_ih_l0,weight_hh_l0,bias_ih_l0,bias_hh_l0}` (gates i, f, g, o), `output.{weight,bias}`.
    ///   - vocabulary: the word of each token.
    ///   - precision: of the two products of each step, recurrent and output, and of the table of words' gates; the image's own step is always
    ///     in floats.
    /// - Throws: `ModelError` where a shape or a number does not fit, and whatever `weights` throws.
    public init(
        configuration: DecoderConfiguration, weights: (String) throws -> WeightTensor, vocabulary: [String],
        instructionSet: InstructionSet = .best, precision: ModelManifest.Precision.Kind = .fp32
    ) throws {
        try configuration.validate(vocabularySize: vocabulary.count)
        self.configuration = configuration
        self.vocabulary = vocabulary
        let isa = instructionSet.isa
        self.isa = isa

        func tensor(_ name: String, _ shape: Int...) throws -> WeightTensor {
            let tensor = try weights(name)
            guard tensor.shape == shape, tensor.values.count == shape.reduce(1, *) else {
                throw ModelError("decoder: \(name) has shape \(tensor.shape), \(shape) is expected")
            }
            return tensor
        }
        let (feature, embedding) = (configuration.featureSize, configuration.embeddingSize)
        let (hidden, words) = (configuration.hiddenSize, vocabulary.count)

        image = try PackedLinear(
            weight: try tensor("image.weight", embedding, feature), bias: try tensor("image.bias", embedding).values,
            isa: isa)
        let inputWeight = try tensor("lstm.weight_ih_l0", 4 * hidden, embedding)
        let inputBias = zip(
            try tensor("lstm.bias_ih_l0", 4 * hidden).values, try tensor("lstm.bias_hh_l0", 4 * hidden).values
        ).map(+)
        input = try PackedLinear(weight: inputWeight, bias: inputBias, isa: isa)
        recurrent = try PackedLinear(
            weight: try tensor("lstm.weight_hh_l0", 4 * hidden, hidden), bias: nil, isa: isa,
            precision: precision)
        output = try PackedLinear(
            weight: try tensor("output.weight", words, hidden), bias: try tensor("output.bias", words).values,
            isa: isa, precision: precision, blockOutputs: Self.blockWords(precision))
        wordGates = WordGates(
            embedding: try tensor("embedding.weight", words, embedding), weight: inputWeight, bias: inputBias,
            isa: isa, isNarrow: precision != .fp32)
    }

    /// Words of the output layer that are multiplied and looked at together. Their logits for 24 rows take 46 KB where that product's
    /// weights only pass through the caches, and four times that in floats, whose product puts its rows in order anew for each block. A
    /// multiple of every kernel's panel of columns.
    private static func blockWords(_ precision: ModelManifest.Precision.Kind) -> Int {
        precision == .fp32 ? 1_920 : 480
    }

    /// Floats of one step's gates.
    var gateCount: Int { 4 * configuration.hiddenSize }
}
