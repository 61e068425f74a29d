/// What a bundle's `model.json` says.
public struct ModelManifest: Codable, Sendable, Equatable {
    /// The format this build writes, and the only one it reads.
    public static let currentFormat = 1

    public var format: Int
    public var name: String
    public var version: String
    /// SPDX expression of the weights' licence, or `unknown`.
    public var licence: String
    /// What the model was trained on.
    public var trainingData: String?
    /// The terms that the training data puts on the model.
    public var trainingTerms: String?
    public var preprocessing: Preprocessing
    public var encoder: Graph
    public var decoder: Decoder
    public var decoding: Decoding
    public var precision: Precision
    /// What the encoder's values look like as 8-bit integers; nil where the model was not calibrated.
    public var quantisation: Quantisation?
    /// Measured quality, as the model's makers give it.
    public var quality: JSONValue?
    /// `sha256:` and 64 hexadecimal digits; see `BundleDigest`.
    public var digest: String

    public struct Decoder: Codable, Sendable, Equatable {
        public enum Kind: String, Codable, Sendable {
            case showAndTell = "show-and-tell"
        }

        /// Ids of the words that mean something to the search.
        public struct Tokens: Codable, Sendable, Equatable {
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

        public var kind: Kind
        public var embeddingSize: Int
        public var hiddenSize: Int
        public var tokens: Tokens

        public init(kind: Kind, embeddingSize: Int, hiddenSize: Int, tokens: Tokens) {
            self.kind = kind
            self.embeddingSize = embeddingSize
            self.hiddenSize = hiddenSize
            self.tokens = tokens
        }

        enum CodingKeys: String, CodingKey {
            case kind
            case embeddingSize = "embedding_size"
            case hiddenSize = "hidden_size"
            case tokens
        }
    }

    /// The search's defaults.
    public struct Decoding: Codable, Sendable, Equatable {
        public var beam: Int
        /// The exponent α of length normalisation.
        public var alpha: Float
        /// Steps at most, the end counted.
        public var maxWords: Int

        public init(beam: Int = 3, alpha: Float = 1, maxWords: Int = 20) {
            self.beam = beam
            self.alpha = alpha
            self.maxWords = maxWords
        }

        enum CodingKeys: String, CodingKey {
            case beam, alpha
            case maxWords = "max_words"
        }
    }

    public struct Precision: Codable, Sendable, Equatable {
        public enum Kind: String, Codable, Sendable, CaseIterable {
            case fp32, bf16, int8
        }

        public var `default`: Kind
        public var allowed: [Kind]

        public init(default: Kind = .fp32, allowed: [Kind] = [.fp32]) {
            self.default = `default`
            self.allowed = allowed
        }
    }

    public init(
        name: String, version: String, licence: String, trainingData: String?, trainingTerms: String?,
        preprocessing: Preprocessing, encoder: Graph, decoder: Decoder, decoding: Decoding = Decoding(),
        precision: Precision = Precision(), quantisation: Quantisation? = nil, quality: JSONValue? = nil,
        digest: String = ""
    ) {
        format = Self.currentFormat
        self.name = name
        self.version = version
        self.licence = licence
        self.trainingData = trainingData
        self.trainingTerms = trainingTerms
        self.preprocessing = preprocessing
        self.encoder = encoder
        self.decoder = decoder
        self.decoding = decoding
        self.precision = precision
        self.quantisation = quantisation
        self.quality = quality
        self.digest = digest
    }

    enum CodingKeys: String, CodingKey {
        case format, name, version, licence
        case trainingData = "training_data"
        case trainingTerms = "training_terms"
        case preprocessing, encoder, decoder, decoding, precision, quantisation, quality, digest
    }
}

extension ModelManifest {
    /// Checks what can be told without the weights.
    ///
    /// - Parameter words: size of the vocabulary.
    func validate(words: Int) throws(ModelError) {
        for (key, value) in [("name", name), ("version", version)] {
            guard (1...128).contains(value.utf8.count), value.unicodeScalars.allSatisfy(Self.mayName) else {
                throw ModelError("\(key) must be 1 to 128 letters, digits and \"._-\", not \"\(value.prefix(128))\"")
            }
        }
        try preprocessing.validate()
        let input = Graph.Shape.image(height: preprocessing.height, width: preprocessing.width, channels: 3)
        guard encoder.input == input else {
            throw ModelError("the encoder's input is \(encoder.input), and preprocessing makes \(input)")
        }
        let sizes = 1...1 << 16
        guard sizes.contains(decoder.embeddingSize), sizes.contains(decoder.hiddenSize) else {
            throw ModelError("embedding_size and hidden_size must be between 1 and \(sizes.upperBound)")
        }
        let tokens = [decoder.tokens.pad, decoder.tokens.start, decoder.tokens.end, decoder.tokens.unknown]
        guard tokens.allSatisfy({ (0..<words).contains($0) }), Set(tokens).count == tokens.count else {
            throw ModelError("the token ids \(tokens) must differ and lie within the vocabulary's \(words) words")
        }
        guard (1...10).contains(decoding.beam), (1...50).contains(decoding.maxWords) else {
            throw ModelError("decoding: beam must be 1 to 10 and max_words 1 to 50")
        }
        guard decoding.alpha.isFinite, (0...10).contains(decoding.alpha) else {
            throw ModelError("decoding: alpha must be between 0 and 10")
        }
        guard precision.allowed.contains(precision.default) else {
            throw ModelError("precision: the default is not among those allowed")
        }
        guard quantisation != nil || !precision.allowed.contains(.int8) else {
            throw ModelError("precision: int8 is allowed, and there is no quantisation")
        }
        try quantisation?.validate(graph: encoder)
    }

    private static func mayName(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII
            && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                || "._-".unicodeScalars.contains(scalar))
    }
}
