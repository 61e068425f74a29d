import Foundation

/// The configuration file of an import: what ONNX and safetensors do not say about a model.
///
/// ```json
/// {
///   "name": "small", "version": "1", "licence": "Apache-2.0",
///   "encoder": {
///     "input": "image", "output": "features", "width": 224, "height": 224, "resize": "stretch",
///     "channels": "RGB", "mean": [127.5, 127.5, 127.5], "std": [127.5, 127.5, 127.5], "feature_size": 512
///   },
///   "decoder": {
///     "kind": "show-and-tell", "embedding_size": 512, "hidden_size": 512,
///     "tokens": {"pad": 0, "start": 1, "end": 2, "unknown": 3}
///   },
///   "decoding": {"beam": 3, "alpha": 1, "max_words": 20},
///   "training_data": "…", "training_terms": "…", "quality": {}
/// }
/// ```
///
/// `"normalization": "torchvision" | "torch" | "tf" | "caffe"` may stand in place of `channels`, `mean` and `std`. What is left out has a
/// default, but for the sizes, the normalisation and the decoder. Unknown keys are ignored.
struct ImportConfiguration: Sendable {
    struct File: Decodable {
        var name: String?
        var version: String?
        var licence: String?
        var encoder: Encoder
        var decoder: Decoder
        var decoding: Decoding?
        var training_data: String?
        var training_terms: String?
        var quality: JSONValue?

        struct Encoder: Decodable {
            var input: String?
            var output: String?
            var feature_size: Int?
        }

        struct Decoder: Decodable {
            var kind: ModelManifest.Decoder.Kind
            var embedding_size: Int
            var hidden_size: Int
            var tokens: ModelManifest.Decoder.Tokens?
            var gates: String?
        }

        struct Decoding: Decodable {
            var beam: Int?
            var alpha: Float?
            var max_words: Int?
        }
    }

    var file: File
    var preprocessing: Preprocessing

    static let maximumBytes = 16 << 20

    init(path: String) throws(ModelError) {
        do throws(ModelError) {
            let mapped = try MappedFile(path: path)
            guard mapped.count <= Self.maximumBytes else { throw ModelError("larger than 16 MiB") }
            try self.init(text: mapped.bytes.array)
        } catch {
            throw error.inFile(path)
        }
    }

    init(text: [UInt8]) throws(ModelError) {
        guard case .object(let members) = try JSONParser.parse(text), case .object(var encoder) = members["encoder"]
        else { throw ModelError("no object \"encoder\"") }
        if let name = encoder.removeValue(forKey: "normalization") { encoder["normalisation"] = name }
        do {
            file = try JSONDecoder().decode(File.self, from: Data(text))
            preprocessing = try JSONDecoder().decode(
                Preprocessing.self, from: JSONEncoder().encode(JSONValue.object(encoder)))
        } catch let error as DecodingError {
            throw ModelError(error.explanation)
        } catch {
            throw ModelError("\(error)")
        }
        try preprocessing.validate()
        if let gates = file.decoder.gates, gates.filter({ $0 != " " }) != "i,f,g,o" {
            throw ModelError("decoder: gates in the order \(gates); only PyTorch's i,f,g,o is supported")
        }
    }

    var decoder: ModelManifest.Decoder {
        ModelManifest.Decoder(
            kind: file.decoder.kind, embeddingSize: file.decoder.embedding_size, hiddenSize: file.decoder.hidden_size,
            tokens: file.decoder.tokens ?? .init())
    }

    var decoding: ModelManifest.Decoding {
        let defaults = ModelManifest.Decoding()
        return ModelManifest.Decoding(
            beam: file.decoding?.beam ?? defaults.beam, alpha: file.decoding?.alpha ?? defaults.alpha,
            maxWords: file.decoding?.max_words ?? defaults.maxWords)
    }
}
