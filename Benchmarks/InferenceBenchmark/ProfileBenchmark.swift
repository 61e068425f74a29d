import Inference
import Kernels

/// Where the time of an encoder goes, step by step.
enum ProfileBenchmark {
    /// - Parameter arguments: bundles, behind `--precision` and its name where it is not fp32.
    static func run(_ arguments: ArraySlice<String>) throws {
        var (bundles, precision) = (arguments, ModelManifest.Precision.Kind.fp32)
        if bundles.first == "--precision" {
            guard let kind = bundles.dropFirst().first.flatMap(ModelManifest.Precision.Kind.init) else {
                throw ModelError("--precision is fp32, bf16 or int8")
            }
            (bundles, precision) = (bundles.dropFirst(2), kind)
        }
        let peak = Peak.gigaoperations(kaption_isa_best(), precision)
        for directory in bundles {
            let bundle = try ModelBundle.load(directory: directory)
            let encoder = try EncoderBenchmark.Model(bundle, precision: precision).encoder
            let workspace = encoder.makeWorkspace(maximumBatch: 1)
            EncoderBenchmark.fill(workspace, of: encoder)
            var times: [[Double]] = []
            let steps = encoder.steps
            for _ in 0..<30 {
                times.append(
                    steps.map { step in
                        let start = ContinuousClock.now
                        workspace.run(step)
                        return (ContinuousClock.now - start) / .milliseconds(1)
                    })
            }
            print(
                "\(bundle.manifest.name): \(precision.rawValue), milliseconds (median of \(times.count)), Goperations/s, share of the peak"
            )
            var total = 0.0
            for (index, step) in steps.enumerated() {
                let sorted = times.map { $0[index] }.sorted()
                let milliseconds = sorted[sorted.count / 2]
                total += milliseconds
                let gigaflops = 2 * Double(step.multiplyAdds) / (milliseconds * 1e6)
                let share = Program.share(gigaflops, of: peak)
                print(Program.profileRow(step.description, milliseconds, gigaflops, share))
            }
            print(Program.profileRow("all", total, 0, ""))
        }
    }
}
