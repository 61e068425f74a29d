/// What a caption decoder is, besides its weights and its words.
public struct DecoderConfiguration: Sendable, Equatable {
    /// Floats of an image's feature.
    public var featureSize: Int
    /// Floats of a word's embedding, and of the image's.
    public var embeddingSize: Int
    /// Floats of the LSTM's state.
    public var hiddenSize: Int
    public var tokens: ModelManifest.Decoder.Tokens
    /// α: a caption's score is its log-probability ÷ (words + 1)^α. 0...10.
    public var lengthExponent: Double

    public init(
        featureSize: Int, embeddingSize: Int, hiddenSize: Int, tokens: ModelManifest.Decoder.Tokens = .init(),
        lengthExponent: Double = 1
    ) {
        self.featureSize = featureSize
        self.embeddingSize = embeddingSize
        self.hiddenSize = hiddenSize
        self.tokens = tokens
        self.lengthExponent = lengthExponent
    }

    /// The decoder of a bundle.
    ///
    /// - Parameter featureSize: floats of the feature that the bundle's encoder gives.
    public init(manifest: ModelManifest, featureSize: Int) {
        self.init(
            featureSize: featureSize, embeddingSize: manifest.decoder.embeddingSize,
            hiddenSize: manifest.decoder.hiddenSize, tokens: manifest.decoder.tokens,
            lengthExponent: Double(manifest.decoding.alpha))
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
        guard (0...10).contains(lengthExponent) else {
            throw ModelError("decoder: the length exponent is \(lengthExponent); it must be 0 to 10")
        }
    }
}
