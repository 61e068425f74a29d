import Inference

/// Turns trained weights into what Inference runs and writes.
public enum DecoderExport {
    /// A decoder as the worker's, with the exponent 1 of length normalisation.
    public static func decoder(_ weights: DecoderParameters, words: WordTable) throws -> CaptionDecoder {
        let tensors = weights.tensors()
        return try CaptionDecoder(
            configuration: DecoderConfiguration(
                featureSize: weights.shape.feature, embeddingSize: weights.shape.embedding,
                hiddenSize: weights.shape.hidden, tokens: words.tokens),
            weights: { name in
                guard let tensor = tensors[name] else { throw TrainingError("the decoder has no tensor \(name)") }
                return tensor
            },
            vocabulary: words.words)
    }

    /// What the bundle says of itself.
    public struct Description: Sendable {
        public var name: String
        public var version: String
        public var licence: String
        public var trainingData: String?
        public var trainingTerms: String?
        public var beam: Int
        public var alpha: Double
        public var maximumWords: Int
        public var quality: JSONValue?

        public init(
            name: String, version: String, licence: String, trainingData: String?, trainingTerms: String?, beam: Int,
            alpha: Double, maximumWords: Int, quality: JSONValue?
        ) {
            self.name = name
            self.version = version
            self.licence = licence
            self.trainingData = trainingData
            self.trainingTerms = trainingTerms
            self.beam = beam
            self.alpha = alpha
            self.maximumWords = maximumWords
            self.quality = quality
        }
    }

    /// Writes a bundle of another one's encoder and a trained decoder, all or nothing.
    ///
    /// - Parameter halves: whether weights of two and more dimensions are stored as halves.
    @discardableResult
    public static func write(
        _ weights: DecoderParameters, words: WordTable, encoder bundle: ModelBundle, description: Description,
        halves: Bool, to directory: String, replaces: Bool
    ) throws -> ModelManifest {
        var tensors = weights.tensors()
        for name in bundle.tensors.keys where name.hasPrefix("encoder.") { tensors[name] = try bundle.tensor(name) }
        let manifest = ModelManifest(
            name: description.name, version: description.version, licence: description.licence,
            trainingData: description.trainingData, trainingTerms: description.trainingTerms,
            preprocessing: bundle.manifest.preprocessing, encoder: bundle.manifest.encoder,
            decoder: .init(
                kind: .showAndTell, embeddingSize: weights.shape.embedding, hiddenSize: weights.shape.hidden,
                tokens: words.tokens),
            decoding: .init(
                beam: description.beam, alpha: Float(description.alpha), maxWords: description.maximumWords),
            quality: description.quality)
        return try BundleWriter.write(
            manifest, vocabulary: Vocabulary(words: words.words), weights: tensors, precision: halves ? .f16 : .f32,
            to: directory, replaces: replaces)
    }
}
