import CommandLineOptions
import Inference

/// `kaption-model import`: ONNX and safetensors to a bundle.
enum ImportCommand: Subcommand {
    static let encoder = Option.required("encoder", .string, "FILE.onnx", help: "The encoder, ONNX of opset 11 to 21.")
    static let decoder = Option.required(
        "decoder", .string, "FILE.safetensors", help: "The decoder's tensors, with PyTorch's names.")
    static let vocabulary = Option.required(
        "vocabulary", .string, "FILE", help: "The words, one a line; the line's number (from 0) is the token's id.")
    static let config = Option.required(
        "config", .string, "FILE.json", help: "Sizes, preprocessing, tokens and training data; see below.")
    static let output = Option.required("output", .string, "DIR", help: "Where the bundle is to be.")
    static let weights = Option.defaulted(
        "weights", ValueFormat<ModelImport.Weights>.choice, "f32|f16", default: "f32",
        help: "How weights are stored. f16 halves the file; vectors such as biases stay f32.")
    static let name = Option.optional(
        "name", .string, "NAME", help: "Name of the model, instead of the configuration's.")
    static let modelVersion = Option.optional(
        "model-version", .string, "VERSION", help: "Version of the model; default: 1.")
    static let licence = Option.optional("licence", .string, "SPDX", help: "Licence of the weights; default: unknown.")
    static let trainingTerms = Option.optional(
        "training-terms", .string, "TEXT", help: "Terms that the training data puts on the model.")
    static let force = Option.flag("force", help: "Replace a bundle that is there already.")

    static let command = Command(
        name: "import", abstract: "Makes a bundle of an ONNX encoder and a safetensors decoder.",
        discussion: """
            The encoder takes one image [batch, 3, height, width] and makes one vector [batch, features]. Height and width \
            are fixed by the configuration; what does not depend on pixels is computed now. An operator that is not \
            supported is refused by its name.

            The configuration is JSON:
              {"name": "small",
               "encoder": {"input": "image", "output": "features", "width": 224, "height": 224, "resize": "stretch",
                           "channels": "RGB", "mean": [127.5, 127.5, 127.5], "std": [127.5, 127.5, 127.5]},
               "decoder": {"kind": "show-and-tell", "embedding_size": 512, "hidden_size": 512,
                           "tokens": {"pad": 0, "start": 1, "end": 2, "unknown": 3}},
               "decoding": {"beam": 3, "alpha": 1, "max_words": 20}, "training_data": "…"}
            resize is stretch or short-side-crop; mean and std are in units of pixels (0 to 255). "normalization": \
            "torchvision", "torch", "tf" or "caffe" may stand for channels, mean and std.
            """,
        sections: [
            Section("Sources", [encoder, decoder, vocabulary, config]),
            Section("Bundle", [output, weights, name, modelVersion, licence, trainingTerms, force]),
        ],
        examples: [
            Example(
                "Import a model, with its weights as halves",
                "kaption-model import --encoder encoder.onnx --decoder decoder.safetensors --vocabulary vocabulary.txt "
                    + "--config config.json --output Models/mine --weights f16")
        ])

    static func run(_ options: ParsedOptions) throws -> ExitCode {
        let source = ModelImport(
            encoder: options[encoder], decoder: options[decoder], vocabulary: options[vocabulary],
            configuration: options[config], name: options[name], version: options[modelVersion],
            licence: options[licence], trainingTerms: options[trainingTerms], weights: options[weights])
        let manifest = try source.run(to: options[output], replaces: options[force])
        print(
            "\(options[output]): \(manifest.name) \(manifest.version), \(manifest.encoder.nodes.count) layers, \(manifest.digest)"
        )
        return .done
    }
}
