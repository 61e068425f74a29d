import Foundation
import TestSupport

@testable import Inference

/// The sources of a small model, and the bundle made of them.
struct TestBundle {
    let folder: TemporaryDirectory
    var source: ModelImport

    var path: String { folder.url.path + "/bundle" }

    static let configuration = """
        {"name": "tiny", "encoder": {"input": "image", "output": "features", "width": 4, "height": 4, "normalization": "tf"},
         "decoder": {"kind": "show-and-tell", "embedding_size": 3, "hidden_size": 2}, "training_data": "none"}
        """

    static let vocabulary = "<pad>\n<start>\n<end>\n<unk>\na\ndog\n"

    /// The decoder's tensors for two features and six words.
    static var decoder: [String: WeightTensor] {
        var random = RandomNumbers(seed: 3)
        let shapes = [
            "image.weight": [3, 2], "image.bias": [3], "embedding.weight": [6, 3], "lstm.weight_ih_l0": [8, 3],
            "lstm.weight_hh_l0": [8, 2], "lstm.bias_ih_l0": [8], "lstm.bias_hh_l0": [8], "output.weight": [6, 2],
            "output.bias": [6],
        ]
        return shapes.sorted { $0.key < $1.key }.reduce(into: [:]) { tensors, entry in
            tensors[entry.key] = WeightTensor(shape: entry.value, values: random.floats(entry.value.reduce(1, *)))
        }
    }

    init(
        encoder: ONNXFile = .small, decoder: [String: WeightTensor] = decoder, vocabulary: String = vocabulary,
        configuration: String = configuration
    ) throws {
        folder = try TemporaryDirectory()
        let weights = folder.url.path + "/decoder.safetensors"
        try SafetensorsWriter.write(decoder, precision: .f32, to: weights)
        source = ModelImport(
            encoder: try folder.write("encoder.onnx", encoder.data).path, decoder: weights,
            vocabulary: try folder.write("vocabulary.txt", Data(vocabulary.utf8)).path,
            configuration: try folder.write("config.json", Data(configuration.utf8)).path)
    }

    /// A bundle that is written already.
    static func written() throws -> TestBundle {
        let bundle = try TestBundle()
        try bundle.source.run(to: bundle.path)
        return bundle
    }

    func load() throws -> ModelBundle { try ModelBundle.load(directory: path) }

    /// What the bundle is refused with; nil where it loads.
    func refusal() -> String? {
        do {
            _ = try load()
            return nil
        } catch { return (error as? ModelError)?.message ?? "\(error)" }
    }

    /// Changes `model.json` and makes the digest fit again.
    func edit(_ change: (inout [String: Any]) -> Void) throws {
        let file = URL(fileURLWithPath: path + "/model.json")
        var manifest = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any] ?? [:]
        change(&manifest)
        try JSONSerialization.data(withJSONObject: manifest, options: [.sortedKeys]).write(to: file)
        try seal()
    }

    /// Writes the digest that fits the files.
    func seal() throws {
        let file = URL(fileURLWithPath: path + "/model.json")
        let text = Array(try Data(contentsOf: file))
        let files = try BundleDigest.mapFiles(of: path)
        let sealed = try text.withBytes { (bytes) throws(ModelError) in
            try BundleDigest.replacingDigest(bytes, by: BundleDigest.compute(manifest: bytes, files: files))
        }
        try Data(sealed).write(to: file)
    }
}
