/// The sizes of a Show and Tell decoder.
public struct DecoderShape: Sendable, Equatable, Codable {
    /// Floats of an image's feature.
    public var feature: Int
    public var embedding: Int
    public var hidden: Int
    public var words: Int

    public init(feature: Int, embedding: Int, hidden: Int, words: Int) {
        self.feature = feature
        self.embedding = embedding
        self.hidden = hidden
        self.words = words
    }

    public var gates: Int { 4 * hidden }
}

/// The decoder's tensors, by the names that bundles give them. The embedding is the last, so that the others lie together
/// where it is frozen.
public enum DecoderTensor: String, Sendable, CaseIterable {
    case imageWeight = "image.weight"
    case imageBias = "image.bias"
    case inputWeight = "lstm.weight_ih_l0"
    case recurrentWeight = "lstm.weight_hh_l0"
    case inputBias = "lstm.bias_ih_l0"
    case recurrentBias = "lstm.bias_hh_l0"
    case outputWeight = "output.weight"
    case outputBias = "output.bias"
    case embedding = "embedding.weight"

    /// Dimensions, outermost first.
    public func dimensions(_ shape: DecoderShape) -> [Int] {
        switch self {
        case .imageWeight: [shape.embedding, shape.feature]
        case .imageBias: [shape.embedding]
        case .inputWeight: [shape.gates, shape.embedding]
        case .recurrentWeight: [shape.gates, shape.hidden]
        case .inputBias, .recurrentBias: [shape.gates]
        case .outputWeight: [shape.words, shape.hidden]
        case .outputBias: [shape.words]
        case .embedding: [shape.words, shape.embedding]
        }
    }

    func count(_ shape: DecoderShape) -> Int { dimensions(shape).reduce(1, *) }
}
