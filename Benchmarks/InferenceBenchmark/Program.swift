import Foundation
import Inference
import Kernels

/// `InferenceBenchmark BUNDLE…`: prints what one core reaches, stage by stage, beside what it could reach at most.
@main
struct Program {
    static func main() {
        do {
            try run()
        } catch {
            FileHandle.standardError.write(Data("InferenceBenchmark: \(error)\n".utf8))
            exit(1)
        }
    }

    private static func run() throws {
        kaption_flush_denormals()
        let bundles = CommandLine.arguments.dropFirst()
        switch bundles.first {
        case "serve": return try Server().run()
        case "profile": return try ProfileBenchmark.run(bundles.dropFirst())
        case "draw": return try draw(Array(bundles.dropFirst()))
        default: break
        }
        if bundles.contains(where: { $0.hasPrefix("-") }) {
            print(usage)
            exit(["-h", "--help"].contains(bundles.first) ? 0 : 2)
        }
        let isa = kaption_isa_best()
        let peak = Peak.gigaoperations(isa)
        print("one core of \(processor()), \(String(cString: kaption_isa_name(isa)))")
        print("peak, registers only: " + (peak.map { String(format: "%.0f GFLOP/s", $0) } ?? "not measured"))
        print(row("stage", "batch", "ms/image", "median", "images/s", "GFLOP/s", "of peak"))
        for bundle in bundles {
            for result in try EncoderBenchmark.run(bundle: bundle) {
                print(
                    stageRow(
                        "encoder \(result.model)", result.batch, result.timing, operations: 2 * result.multiplyAdds,
                        peak))
            }
        }
        for bundle in bundles {
            for result in try PrecisionBenchmark.run(bundle: bundle) {
                print(
                    row(
                        "encoder \(result.model) \(result.precision.rawValue)", "1", number(result.timing.fastest),
                        number(result.timing.median), number(1000 / result.timing.fastest),
                        number(result.gigaoperations),
                        result.peak.map { String(format: "%.0f%%", 100 * result.gigaoperations / $0) } ?? ""))
            }
        }
        for bundle in bundles {
            for result in try CaptionBenchmark.run(bundle: bundle) {
                print(
                    row(
                        "whole, beam 3 \(bundle.split(separator: "/").last ?? "")", "\(result.batch)",
                        number(result.timing.fastest), number(result.timing.median),
                        number(1000 / result.timing.fastest), "", ""))
                print(
                    row("  of it decode and resize", "", number(result.decode), "", "", "", ""),
                    row("  of it encode", "", number(result.encode), "", "", "", ""),
                    row("  of it caption", "", number(result.caption), "", "", "", ""), separator: "\n")
            }
        }
        for result in try ImageBenchmark.run() {
            print(
                row(
                    result.name, "1", number(result.timing.fastest), number(result.timing.median),
                    number(1000 / result.timing.fastest), "", ""))
        }
        for result in try DecoderBenchmark.run() {
            print(
                stageRow(
                    "decoder \(result.words) words", result.batch, result.timing, operations: result.operations, peak))
        }
    }

    private static let usage = """
        usage: InferenceBenchmark BUNDLE…            milliseconds an image on one core, for the bundles' encoders and the whole way
                                                     from bytes to captions, for JPEG decoding and resizing, and for a decoder with
                                                     random weights
               InferenceBenchmark profile [--precision P] BUNDLE…   the same for each step of the bundles' encoders
               InferenceBenchmark serve              answers requests for measurements (Benchmarks/peers)
               InferenceBenchmark draw WIDTH HEIGHT FILE   draws the JPEG that is measured
        """

    private static func draw(_ arguments: [String]) throws {
        guard arguments.count == 3, let width = Int(arguments[0]), let height = Int(arguments[1]) else {
            return print(usage)
        }
        try ImageBenchmark.jpeg(width: width, height: height).write(to: URL(fileURLWithPath: arguments[2]))
    }

    private static func stageRow(
        _ name: String, _ batch: Int, _ timing: Timing, operations: Int, _ peak: Double?
    ) -> String {
        let gigaflops = Double(operations) / (timing.fastest * 1e6)
        return row(
            name, "\(batch)", number(timing.fastest), number(timing.median), number(1000 / timing.fastest),
            number(gigaflops), share(gigaflops, of: peak))
    }

    static func share(_ gigaflops: Double, of peak: Double?) -> String {
        peak.map { String(format: "%.0f%%", 100 * gigaflops / $0) } ?? ""
    }

    /// Name, family and model of the CPU, as Linux gives them.
    private static func processor() -> String {
        let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.split(separator: "\n") ?? []
        let values = ["model name", "cpu family", "model"].compactMap { key in
            lines.first { $0.split(separator: ":")[0].trimmingCharacters(in: .whitespaces) == key }?
                .split(separator: ":").last?.trimmingCharacters(in: .whitespaces)
        }
        return values.count == 3 ? "\(values[0]) (family \(values[1]), model \(values[2]))" : "an unknown CPU"
    }

    static func profileRow(_ step: String, _ milliseconds: Double, _ gigaflops: Double, _ share: String) -> String {
        String(format: "%8.3f %7.1f ", milliseconds, gigaflops)
            + String(repeating: " ", count: max(0, 7 - share.count)) + share + "  " + step
    }

    static func number(_ value: Double) -> String { String(format: "%.2f", value) }

    static func row(_ columns: String...) -> String {
        let widths = [32, 6, 10, 10, 10, 10, 8]
        return zip(columns, widths).enumerated().map { index, column in
            let padding = String(repeating: " ", count: max(0, column.1 - column.0.count))
            return index == 0 ? column.0 + padding : padding + column.0
        }.joined()
    }
}
