/// What a caption decoder is, besides its weights: the `decoder` part of a bundle's `model.json`.
public struct DecoderConfiguration: Codable, Sendable, Equatable {
    /// Floats of an image's feature.
    public var featureSize: Int
    /// Floats of a word's embedding, and of the image's.
    public var embeddingSize: Int
    /// Floats of the LSTM's state.
    public var hiddenSize: Int
    public var tokens: SpecialTokens
    /// α: a caption's score is its log-probability ÷ (words + 1)^α. 0...4.
    public var lengthExponent: Double

    /// Vocabulary entries that are no words.
    public struct SpecialTokens: Codable, Sendable, Equatable {
        public var pad: Int
        public var start: Int
        public var end: Int
        public var unknown: Int

        public init(pad: Int = 0, start: Int = 1, end: Int = 2, unknown: Int = 3) {
            self.pad = pad
            self.start = start
            self.end = end
            self.unknown = unknown
        }
    }

    public init(
        featureSize: Int, embeddingSize: Int, hiddenSize: Int, tokens: SpecialTokens = .init(),
        lengthExponent: Double = 1
    ) {
        self.featureSize = featureSize
        self.embeddingSize = embeddingSize
        self.hiddenSize = hiddenSize
        self.tokens = tokens
        self.lengthExponent = lengthExponent
    }

    /// The largest of any one dimension, and of the vocabulary.
    static let dimensionLimit = 1 << 20

    /// - Throws: `ModelError` where the numbers do not make a decoder over `vocabularySize` words.
    public func validate(vocabularySize: Int) throws {
        let dimensions = [
            ("feature size", featureSize), ("embedding size", embeddingSize), ("hidden size", hiddenSize),
            ("vocabulary size", vocabularySize),
        ]
        for (name, value) in dimensions where !(1...Self.dimensionLimit).contains(value) {
            throw ModelError("decoder: the \(name) is \(value); it must be 1 to \(Self.dimensionLimit)")
        }
        let named = [
            ("pad", tokens.pad), ("start", tokens.start), ("end", tokens.end), ("unknown", tokens.unknown),
        ]
        for (name, token) in named {
            guard (0..<vocabularySize).contains(token) else {
                throw ModelError("decoder: token \(name) is \(token), outside a vocabulary of \(vocabularySize)")
            }
            if name != "end", token == tokens.end {
                throw ModelError("decoder: the tokens end and \(name) are both \(token)")
            }
        }
        guard (0...4).contains(lengthExponent) else {
            throw ModelError("decoder: the length exponent is \(lengthExponent); it must be 0 to 4")
        }
    }
}
