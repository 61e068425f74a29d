import Foundation

/// A model's folder: `model.json`, `weights.safetensors` (F32 or F16) and `vocabulary.txt`, and, where the model was calibrated for
/// int8, `corrections.safetensors`. Other files, such as a licence, may lie beside them and count in the digest.
///
/// The weights stay mapped as long as the bundle lives: read each tensor once, pack it, and let the bundle go.
public struct ModelBundle: Sendable {
    public static let weightsName = "weights.safetensors"
    public static let vocabularyName = "vocabulary.txt"
    public static let correctionsName = "corrections.safetensors"
    static let maximumManifestBytes = 16 << 20

    public let manifest: ModelManifest
    public let vocabulary: Vocabulary
    private let weights: Safetensors

    /// `sha256:` and 64 lower-case hexadecimal digits.
    public var digest: String { manifest.digest }

    /// Maps a bundle and checks it: digest, graph, and the shapes of all weights.
    ///
    /// - Throws: `ModelError` with the reason, which names the folder.
    public static func load(directory: String) throws(ModelError) -> ModelBundle {
        do {
            return try ModelBundle(directory: directory)
        } catch {
            throw ModelError("\(directory): \(error.message)")
        }
    }

    private init(directory: String) throws(ModelError) {
        let manifestFile = try MappedFile(path: "\(directory)/\(BundleDigest.manifestName)")
        guard manifestFile.count <= Self.maximumManifestBytes else {
            throw ModelError("\(BundleDigest.manifestName) is larger than 16 MiB")
        }
        let manifest = try manifestFile.withBytes { (bytes) throws(ModelError) in try Self.decodeManifest(bytes) }
        let files = try BundleDigest.mapFiles(of: directory)
        guard let weightsFile = files[Self.weightsName], let vocabularyFile = files[Self.vocabularyName] else {
            throw ModelError("\(Self.weightsName) or \(Self.vocabularyName) is missing")
        }
        let digest = try manifestFile.withBytes { (bytes) throws(ModelError) in
            try BundleDigest.compute(manifest: bytes, files: files)
        }
        guard manifest.digest == digest else {
            throw ModelError(
                "the digest does not fit: model.json says \(manifest.digest.prefix(80)), the files give \(digest). "
                    + "The bundle is damaged or was changed by hand; import or copy it again")
        }
        self.manifest = try Self.withCorrections(manifest, files[Self.correctionsName])
        vocabulary = try vocabularyFile.withBytes { (bytes) throws(ModelError) in try Vocabulary(text: bytes) }
        weights = try Safetensors(weightsFile)
        try check()
    }

    static func decodeManifest(_ bytes: UnsafeRawBufferPointer) throws(ModelError) -> ModelManifest {
        // The strict parser refuses what Foundation would let pass: a key that comes twice, deep nesting.
        guard case .object(let members) = try JSONParser.parse(bytes) else {
            throw ModelError("model.json is no object")
        }
        guard let format = members["format"]?.integerValue else {
            throw ModelError("model.json has no format number: not a model bundle")
        }
        guard format == ModelManifest.currentFormat else {
            throw ModelError(
                "model.json is of format \(format), and this build reads format \(ModelManifest.currentFormat)")
        }
        do {
            return try JSONDecoder().decode(ModelManifest.self, from: Data(bytes))
        } catch let error as DecodingError {
            throw ModelError("model.json: \(error.explanation)")
        } catch {
            throw ModelError("model.json: \(error)")
        }
    }

    private static func withCorrections(
        _ manifest: ModelManifest, _ file: MappedFile?
    ) throws(ModelError) -> ModelManifest {
        guard let file else { return manifest }
        guard manifest.quantisation != nil else {
            throw ModelError("\(correctionsName) is there, and model.json has no quantisation")
        }
        var manifest = manifest
        do throws(ModelError) {
            let corrections = try Safetensors(file)
            for name in corrections.entries.keys {
                let values = try corrections.tensor(name).values
                guard values.allSatisfy(\.isFinite) else { throw ModelError("\"\(name.prefix(256))\" is not finite") }
                manifest.quantisation?.corrections[name] = values
            }
        } catch {
            throw error.inFile(correctionsName)
        }
        return manifest
    }

    private func check() throws(ModelError) {
        try manifest.validate(words: vocabulary.count)
        var expected = try manifest.encoder.validate { weights.entries[$0]?.shape }
        let featureSize = try manifest.encoder.featureSize()
        let shapes = manifest.decoder.tensorShapes(featureSize: featureSize, words: vocabulary.count)
        for (name, shape) in shapes.sorted(by: { $0.key < $1.key }) {
            guard let actual = weights.entries[name]?.shape else {
                throw ModelError("the weights have no tensor \"\(name)\"")
            }
            guard actual == shape else {
                throw ModelError("\"\(name)\" has shape \(actual), and the model needs \(shape)")
            }
            expected.insert(name)
        }
        if let stray = weights.entries.keys.first(where: { !expected.contains($0) }) {
            throw ModelError("the weights hold \"\(stray.prefix(256))\", which nothing reads")
        }
    }

    /// A tensor of the weights, widened to 32-bit floats. Decoder tensors have PyTorch's names, those of the encoder
    /// are named by its graph.
    public func tensor(_ name: String) throws(ModelError) -> WeightTensor { try weights.tensor(name) }

    /// Shape and element type (`F32`, `F16`) of each tensor.
    public var tensors: [String: (shape: [Int], type: String)] {
        weights.entries.mapValues { ($0.shape, $0.type.rawValue) }
    }
}

extension ModelManifest.Decoder {
    /// The tensors that the decoder reads, with PyTorch's names and gate order (i, f, g, o).
    func tensorShapes(featureSize: Int, words: Int) -> [String: [Int]] {
        [
            "image.weight": [embeddingSize, featureSize],
            "image.bias": [embeddingSize],
            "embedding.weight": [words, embeddingSize],
            "lstm.weight_ih_l0": [4 * hiddenSize, embeddingSize],
            "lstm.weight_hh_l0": [4 * hiddenSize, hiddenSize],
            "lstm.bias_ih_l0": [4 * hiddenSize],
            "lstm.bias_hh_l0": [4 * hiddenSize],
            "output.weight": [words, hiddenSize],
            "output.bias": [words],
        ]
    }
}

extension DecodingError {
    /// One line for a person: where, and what.
    var explanation: String {
        let context: Context
        switch self {
        case .typeMismatch(_, let found), .valueNotFound(_, let found), .dataCorrupted(let found): context = found
        case .keyNotFound(let key, let found):
            let path = (found.codingPath + [key]).map(\.stringValue).joined(separator: ".")
            return "\(path) is missing"
        @unknown default: return "\(self)"
        }
        let path = context.codingPath.map(\.stringValue).joined(separator: ".")
        return path.isEmpty ? context.debugDescription : "\(path): \(context.debugDescription)"
    }
}
