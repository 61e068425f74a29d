import Inference

/// How long a bundle's encoder takes an image.
enum EncoderBenchmark {
    struct Row {
        var model: String
        var batch: Int
        /// Milliseconds an image.
        var timing: Timing
        /// Of the whole graph for one image.
        var multiplyAdds: Int
    }

    /// A bundle's encoder with what its graph asks for.
    struct Model {
        let name: String
        let encoder: Encoder
        let multiplyAdds: Int

        init(_ bundle: ModelBundle, precision: ModelManifest.Precision.Kind = .fp32) throws {
            let graph = bundle.manifest.encoder
            name = bundle.manifest.name
            encoder = try Encoder(
                graph: graph, weights: bundle.tensor, precision: precision, quantisation: bundle.manifest.quantisation)
            multiplyAdds = graph.nodes.reduce(0) { $0 + graph.multiplyAdds(of: $1) }
        }
    }

    /// One core, a grey picture, alone and in a micro-batch of 8.
    static func run(bundle directory: String) throws -> [Row] {
        let model = try Model(ModelBundle.load(directory: directory))
        return [1, 8].map { batch in
            Row(
                model: model.name, batch: batch, timing: time(model, batch: batch, seconds: 2),
                multiplyAdds: model.multiplyAdds)
        }
    }

    /// Times of one image.
    static func time(_ model: Model, batch: Int, seconds: Double) -> Timing {
        let workspace = model.encoder.makeWorkspace(maximumBatch: batch)
        fill(workspace, of: model.encoder)
        var timing = Timing(seconds: seconds) {
            for row in 0..<batch { workspace.encode(row: row) }
            workspace.finish(rows: batch)
        }
        timing.fastest /= Double(batch)
        timing.median /= Double(batch)
        return timing
    }

    static func fill(_ workspace: EncoderWorkspace, of encoder: Encoder) {
        let floats = encoder.inputHeight * encoder.inputWidth * Encoder.inputPixelStride
        for index in 0..<floats { workspace.input[index] = Float(index % 17) / 8 - 1 }
    }
}
