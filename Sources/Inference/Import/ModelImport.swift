/// Makes a bundle of an ONNX encoder, a safetensors decoder, a vocabulary and a configuration (see `ImportConfiguration`).
public struct ModelImport: Sendable {
    public enum Weights: String, Sendable, CaseIterable {
        /// 32-bit floats, as they come.
        case f32
        /// Halves for all tensors of two and more dimensions.
        case f16
    }

    /// Paths of the sources.
    public var encoder: String
    public var decoder: String
    public var vocabulary: String
    public var configuration: String

    /// What the configuration says is used where these are nil.
    public var name: String?
    public var version: String?
    public var licence: String?
    public var trainingTerms: String?
    public var weights: Weights

    public init(
        encoder: String, decoder: String, vocabulary: String, configuration: String, name: String? = nil,
        version: String? = nil, licence: String? = nil, trainingTerms: String? = nil, weights: Weights = .f32
    ) {
        self.encoder = encoder
        self.decoder = decoder
        self.vocabulary = vocabulary
        self.configuration = configuration
        self.name = name
        self.version = version
        self.licence = licence
        self.trainingTerms = trainingTerms
        self.weights = weights
    }

    /// Reads and checks the sources and writes the bundle, all or nothing.
    ///
    /// - Parameters:
    ///   - directory: where the bundle is to be.
    ///   - replaces: whether a bundle that lies there is replaced.
    /// - Returns: the bundle's manifest.
    /// - Throws: `ModelError` where a source is damaged, not supported, or does not fit the others.
    @discardableResult
    public func run(to directory: String, replaces: Bool = false) throws -> ModelManifest {
        let configuration = try ImportConfiguration(path: configuration)
        let preprocessing = configuration.preprocessing
        let vocabularyFile = try MappedFile(path: vocabulary)
        let vocabulary = try vocabularyFile.withBytes { (bytes) throws(ModelError) in
            do throws(ModelError) { return try Vocabulary(text: bytes) } catch { throw error.inFile(self.vocabulary) }
        }
        var (graph, tensors) = try GraphImporter.importEncoder(
            path: encoder, height: preprocessing.height, width: preprocessing.width,
            input: configuration.file.encoder.input, output: configuration.file.encoder.output)
        let featureSize = try graph.featureSize()
        if let wanted = configuration.file.encoder.feature_size, wanted != featureSize {
            throw ModelError("\(encoder): makes \(featureSize) features, and the configuration says \(wanted)")
        }
        let manifest = ModelManifest(
            name: name ?? configuration.file.name ?? "model",
            version: version ?? configuration.file.version ?? "1",
            licence: licence ?? configuration.file.licence ?? "unknown",
            trainingData: configuration.file.training_data,
            trainingTerms: trainingTerms ?? configuration.file.training_terms,
            preprocessing: preprocessing, encoder: graph, decoder: configuration.decoder,
            decoding: configuration.decoding, quality: configuration.file.quality)
        try manifest.validate(words: vocabulary.count)
        try addDecoder(
            to: &tensors, shapes: manifest.decoder.tensorShapes(featureSize: featureSize, words: vocabulary.count))
        return try BundleWriter.write(
            manifest, vocabulary: vocabulary, weights: tensors, precision: weights == .f32 ? .f32 : .f16,
            to: directory, replaces: replaces)
    }

    private func addDecoder(to tensors: inout [String: WeightTensor], shapes: [String: [Int]]) throws(ModelError) {
        do throws(ModelError) {
            let source = try Safetensors(MappedFile(path: decoder))
            for (name, shape) in shapes.sorted(by: { $0.key < $1.key }) {
                let tensor = try source.tensor(name)
                guard tensor.shape == shape else {
                    throw ModelError("\"\(name)\" has shape \(tensor.shape), and the model needs \(shape)")
                }
                tensors[name] = tensor
            }
            if let stray = source.entries.keys.sorted().first(where: { shapes[$0] == nil }) {
                throw ModelError("\"\(stray.prefix(256))\" is no tensor of a \"show-and-tell\" decoder")
            }
        } catch {
            throw error.inFile(decoder)
        }
    }
}

extension ModelError {
    /// The same error, which names the file once.
    func inFile(_ path: String) -> ModelError { message.hasPrefix(path) ? self : ModelError("\(path): \(message)") }
}
