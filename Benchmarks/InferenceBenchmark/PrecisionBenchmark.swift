import Foundation
import Inference
import Kernels

/// How long a bundle's encoder takes an image in each precision that the bundle allows, beside the registers' peak of that precision.
enum PrecisionBenchmark {
    struct Row {
        var model: String
        var precision: ModelManifest.Precision.Kind
        /// Milliseconds an image, one at a time on one core.
        var timing: Timing
        /// Thousands of millions of operations a second of the fastest repetition, a multiply-add counting two.
        var gigaoperations: Double
        /// The same on registers alone; nil where there are no vectors.
        var peak: Double?
    }

    static func run(bundle directory: String) throws -> [Row] {
        let bundle = try ModelBundle.load(directory: directory)
        let graph = bundle.manifest.encoder
        let multiplyAdds = graph.nodes.reduce(0) { $0 + graph.multiplyAdds(of: $1) }
        return try bundle.manifest.precision.allowed.map { precision in
            let encoder = try Encoder(
                graph: graph, weights: bundle.tensor, precision: precision,
                quantisation: bundle.manifest.quantisation)
            let workspace = encoder.makeWorkspace(maximumBatch: 1)
            let floats = encoder.inputHeight * encoder.inputWidth * Encoder.inputPixelStride
            for index in 0..<floats { workspace.input[index] = Float(index % 17) / 8 - 1 }
            let timing = Timing(seconds: 1) {
                workspace.encode(row: 0)
                workspace.finish(rows: 1)
            }
            return Row(
                model: bundle.manifest.name, precision: precision, timing: timing,
                gigaoperations: 2 * Double(multiplyAdds) / (timing.fastest * 1e6), peak: peak(precision))
        }
    }

    /// Measured beside what it is compared with: the clock goes with the instructions and with the neighbours.
    private static func peak(_ precision: ModelManifest.Precision.Kind) -> Double? {
        let element =
            switch precision {
            case .fp32: KAPTION_FLOAT32
            case .bf16: KAPTION_BFLOAT16
            case .int8: KAPTION_UINT8
            }
        var operations: UInt64 = 0
        let timing = Timing(seconds: 0.2) {
            operations = kaption_peak_run_narrow(kaption_isa_best(), element, 200_000)
        }
        return operations == 0 ? nil : Double(operations) / timing.fastest / 1e6
    }
}
