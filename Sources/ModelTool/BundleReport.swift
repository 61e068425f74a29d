import Foundation
import Inference

/// What `inspect` shows.
struct BundleReport: Encodable {
    struct Layer: Encodable {
        var index: Int
        var name: String
        var operation: String
        /// Kernel, stride and the like, for a person.
        var details: String
        /// Values read: 0 is the image, i + 1 the output of layer i.
        var inputs: [Int]
        var shape: String
        var parameters: Int
        var multiplyAdds: Int

        enum CodingKeys: String, CodingKey {
            case index, name, operation, details, inputs, shape, parameters
            case multiplyAdds = "multiply_adds"
        }
    }

    struct Totals: Encodable {
        var parameters: Int
        var multiplyAdds: Int

        enum CodingKeys: String, CodingKey {
            case parameters
            case multiplyAdds = "multiply_adds"
        }
    }

    var name: String
    var version: String
    var digest: String
    var licence: String
    var trainingData: String?
    var trainingTerms: String?
    var weights: String
    var preprocessing: Preprocessing
    var layers: [Layer]
    var encoder: Totals
    var decoderKind: String
    /// For one step of one beam, without the image's own step.
    var decoder: Totals
    var words: Int
    var precisions: [String]

    enum CodingKeys: String, CodingKey {
        case name, version, digest, licence
        case trainingData = "training_data"
        case trainingTerms = "training_terms"
        case weights, preprocessing, layers, encoder
        case decoderKind = "decoder_kind"
        case decoder, words, precisions
    }

    init(_ bundle: ModelBundle) {
        let manifest = bundle.manifest
        let tensors = bundle.tensors
        name = manifest.name
        version = manifest.version
        digest = bundle.digest
        licence = manifest.licence
        trainingData = manifest.trainingData
        trainingTerms = manifest.trainingTerms
        weights = tensors.values.contains { $0.type == "F16" } ? "F16" : "F32"
        preprocessing = manifest.preprocessing
        let graph = manifest.encoder
        layers = graph.nodes.enumerated().map { index, node in
            let cost = graph.cost(of: node) { tensors[$0]?.shape ?? [0] }
            return Layer(
                index: index, name: node.name, operation: node.operation.name, details: Self.details(node.operation),
                inputs: node.inputs, shape: "\(node.shape)", parameters: cost.parameters,
                multiplyAdds: cost.multiplyAdds)
        }
        encoder = Totals(
            parameters: layers.reduce(0) { $0 + $1.parameters }, multiplyAdds: layers.reduce(0) { $0 + $1.multiplyAdds }
        )
        decoderKind = manifest.decoder.kind.rawValue
        let decoderTensors = tensors.filter { !$0.key.hasPrefix("encoder.") }
        decoder = Totals(
            parameters: decoderTensors.values.reduce(0) { $0 + $1.shape.reduce(1, *) },
            multiplyAdds: decoderTensors.filter { $0.key.hasPrefix("lstm.weight") || $0.key == "output.weight" }
                .values.reduce(0) { $0 + $1.shape.reduce(1, *) })
        words = bundle.vocabulary.count
        precisions = manifest.precision.allowed.map(\.rawValue)
    }

    private static func details(_ operation: Graph.Operation) -> String {
        switch operation {
        case .convolution(_, _, let window, let groups): window.summary + (groups == 1 ? "" : " groups \(groups)")
        case .maxPool(let window), .averagePool(let window, _): window.summary
        case .activation(.clip(let minimum, let maximum)): "\(minimum)…\(maximum)"
        default: ""
        }
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    func text() -> String {
        var lines = [
            "\(name) \(version)", "digest    \(digest)", "licence   \(licence)", "weights   \(weights)",
            "precision \(precisions.joined(separator: ", "))",
            "image     \(preprocessing.width)×\(preprocessing.height) \(preprocessing.channels.rawValue), \(preprocessing.resize.rawValue)",
        ]
        if let trainingData { lines.append("training  \(trainingData)") }
        if let trainingTerms { lines.append("terms     \(trainingTerms)") }
        lines.append("")
        let header = ["#", "layer", "operation", "", "reads", "shape", "parameters", "multiply-adds"]
        let rows = layers.map { layer in
            [
                "\(layer.index + 1)", layer.name, layer.operation, layer.details,
                layer.inputs.map(String.init).joined(separator: " "), layer.shape, "\(layer.parameters)",
                "\(layer.multiplyAdds)",
            ]
        }
        lines += TextTable(header: header, rows: rows, alignedRight: [0, 6, 7]).lines()
        lines.append("")
        lines.append("encoder   \(encoder.parameters) parameters, \(encoder.multiplyAdds) multiply-adds an image")
        lines.append(
            "decoder   \(decoderKind), \(words) words, \(decoder.parameters) parameters, \(decoder.multiplyAdds) multiply-adds a word and beam"
        )
        return lines.joined(separator: "\n")
    }
}

extension Graph.Window {
    /// `3×3 stride 2 pad 1`, with what is usual left out.
    var summary: String {
        func pair(_ a: Int, _ b: Int) -> String { a == b ? "\(a)" : "\(a)×\(b)" }
        var parts = ["\(kernelHeight)×\(kernelWidth)"]
        if strideHeight != 1 || strideWidth != 1 { parts.append("stride \(pair(strideHeight, strideWidth))") }
        if dilationHeight != 1 || dilationWidth != 1 { parts.append("dilation \(pair(dilationHeight, dilationWidth))") }
        let pads = [padTop, padLeft, padBottom, padRight]
        if Set(pads).count == 1 {
            if padTop != 0 { parts.append("pad \(padTop)") }
        } else {
            parts.append("pad \(pads.map(String.init).joined(separator: ","))")
        }
        return parts.joined(separator: " ")
    }
}
