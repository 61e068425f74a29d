import Foundation
import Inference
import Kernels

/// `InferenceBenchmark BUNDLE…`: prints what one core reaches, stage by stage, beside what it could reach at most.
@main
struct Program {
    static func main() throws {
        kaption_flush_denormals()
        let bundles = CommandLine.arguments.dropFirst()
        if bundles.contains(where: { $0.hasPrefix("-") }) {
            print(
                "usage: InferenceBenchmark BUNDLE…\nMilliseconds an image on one core, for the encoders of the bundles and a decoder."
            )
            return
        }
        let isa = kaption_isa_best()
        let peak = Peak.gigaflops(isa)
        print("one core, \(String(cString: kaption_isa_name(isa)))")
        print("peak, registers only: " + (peak.map { String(format: "%.0f GFLOP/s", $0) } ?? "not measured"))
        print(row("stage", "batch", "ms/image", "median", "images/s", "GFLOP/s", "of peak"))
        for bundle in bundles {
            for result in try EncoderBenchmark.run(bundle: bundle) {
                print(
                    row(
                        "encoder \(result.model)", "\(result.batch)", number(result.timing.fastest),
                        number(result.timing.median), number(1000 / result.timing.fastest), number(result.gigaflops),
                        peak.map { String(format: "%.0f%%", 100 * result.gigaflops / $0) } ?? ""))
            }
        }
        for result in try DecoderBenchmark.run() {
            print(
                row(
                    "decoder \(result.words) words", "\(result.batch)", number(result.fastest), number(result.median),
                    number(1000 / result.fastest), "", ""))
        }
    }

    private static func number(_ value: Double) -> String { String(format: "%.2f", value) }

    private static func row(_ columns: String...) -> String {
        let widths = [32, 6, 10, 10, 10, 10, 8]
        return zip(columns, widths).enumerated().map { index, column in
            let padding = String(repeating: " ", count: max(0, column.1 - column.0.count))
            return index == 0 ? column.0 + padding : padding + column.0
        }.joined()
    }
}
