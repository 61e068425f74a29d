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
        /// GFLOP/s of the fastest repetition, a multiply-add counting two.
        var gigaflops: Double { 2 * Double(multiplyAdds) / (timing.fastest * 1e6) }
    }

    /// One core, a grey picture, alone and in a micro-batch of 8.
    static func run(bundle directory: String) throws -> [Row] {
        let bundle = try ModelBundle.load(directory: directory)
        let graph = bundle.manifest.encoder
        let encoder = try Encoder(graph: graph, weights: bundle.tensor)
        let multiplyAdds = graph.nodes.reduce(0) { $0 + graph.multiplyAdds(of: $1) }
        let floats = encoder.inputHeight * encoder.inputWidth * Encoder.inputPixelStride
        return [1, 8].map { batch in
            let workspace = encoder.makeWorkspace(maximumBatch: batch)
            for index in 0..<floats { workspace.input[index] = Float(index % 17) / 8 - 1 }
            var timing = Timing(seconds: 2) {
                for row in 0..<batch { workspace.encode(row: row) }
                workspace.finish(rows: batch)
            }
            timing.fastest /= Double(batch)
            timing.median /= Double(batch)
            return Row(model: bundle.manifest.name, batch: batch, timing: timing, multiplyAdds: multiplyAdds)
        }
    }
}
