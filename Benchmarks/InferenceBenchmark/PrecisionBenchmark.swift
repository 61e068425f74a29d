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
        return try bundle.manifest.precision.allowed.map { precision in
            let model = try EncoderBenchmark.Model(bundle, precision: precision)
            let timing = EncoderBenchmark.time(model, batch: 1, seconds: 1)
            return Row(
                model: model.name, precision: precision, timing: timing,
                gigaoperations: 2 * Double(model.multiplyAdds) / (timing.fastest * 1e6),
                peak: Peak.gigaoperations(kaption_isa_best(), precision))
        }
    }
}
