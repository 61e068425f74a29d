import Inference
import Kernels

/// Where the time of an encoder goes, step by step.
enum ProfileBenchmark {
    static func run(bundles: ArraySlice<String>) throws {
        let peak = Peak.gigaflops(kaption_isa_best())
        for directory in bundles {
            let bundle = try ModelBundle.load(directory: directory)
            let encoder = try Encoder(graph: bundle.manifest.encoder, weights: bundle.tensor)
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
            print("\(bundle.manifest.name): milliseconds (median of \(times.count)), GFLOP/s, share of the peak")
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
