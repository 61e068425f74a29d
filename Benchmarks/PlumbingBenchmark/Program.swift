import CommandLineOptions
import Foundation

/// Measures what stands around the model: what the worker's plumbing carries, how much it fetches for that, how long a
/// live request waits behind bulk, what exactly once costs, and how soon after its start a worker gives its first result.
@main
struct Program {
    static func main() throws {
        let command = BenchmarkOptions.command
        let options = command.parseOrExit()
        do {
            let workbench = try Workbench(options)
            switch options.subcommand {
            case "prefetch":
                try PrefetchBenchmark(workbench).run(requests: options[BenchmarkOptions.requests] ?? 100_000)
            case "latency":
                try LatencyBenchmark(workbench).run(
                    bulk: options[BenchmarkOptions.requests] ?? 100_000, live: options[BenchmarkOptions.live])
            case "delivery":
                try DeliveryBenchmark(workbench).run(
                    photographs: options[BenchmarkOptions.photographs],
                    requests: options[BenchmarkOptions.requests] ?? 100_000, runs: options[BenchmarkOptions.runs])
            case "start": try StartBenchmark(workbench).run(runs: options[BenchmarkOptions.runs])
            default:
                try PlumbingBenchmark(workbench).run(
                    requests: options[BenchmarkOptions.requests] ?? 200_000, runs: options[BenchmarkOptions.runs],
                    warmUps: options[BenchmarkOptions.warmUps], window: options[BenchmarkOptions.window])
            }
        } catch {
            FileHandle.standardError.write(Data("PlumbingBenchmark: \(error)\n".utf8))
            ExitCode.failed.exit()
        }
    }
}

enum BenchmarkOptions {
    static let kafka = Option.optional(
        "kafka", .string, "HOST:PORT", help: "A Kafka that runs. Default: one of its own, of the folder shared/.")
    static let requests = Option.optional("requests", .integer(1...100_000_000), "N", help: "Requests in a run.")
    static let runs = Option.defaulted("runs", .integer(1...100), "N", default: "5", help: "Runs of each.")
    static let warmUps = Option.defaulted(
        "warm-ups", .integer(1...100), "N", default: "4", help: "Pairs of runs before those that count.")
    static let window = Option.defaulted(
        "window", .integer(16...1_000_000), "N", default: "8192", help: "The worker's --window.")
    static let live = Option.defaulted("live", .integer(1...100_000), "N", default: "200", help: "Live requests.")
    static let pictures = Option.optional(
        "pictures", .string, "DIR", help: "JPEG files for the requests to name. Default: drawn ones.")
    static let photographs = Option.defaulted(
        "photographs", .integer(1...10_000_000), "N", default: "1500", help: "Requests of a run with the model.")
    static let model = Option.defaulted(
        "model", .string, "DIR", default: "Models/kaption-small", help: "Model bundle of the worker.")
    static let topicWeights = Option.defaulted(
        "weights", .string, "LIVE,BULK", default: "8,1", help: "Weights of the two topics.")

    private static let subcommands = [
        Command(
            name: "plumbing",
            abstract: "Requests a second with a null model, beside a bare C loop over librdkafka (the runs alternate).",
            sections: [Section("Plumbing", [kafka, requests, runs, warmUps, window, model])]),
        Command(
            name: "prefetch",
            abstract: "Bytes that the worker receives for each byte that it consumes, the window full.",
            sections: [Section("Prefetch", [kafka, requests, model])]),
        Command(
            name: "latency",
            abstract: "Live requests one at a time: on an idle worker, then with bulk requests waiting.",
            sections: [Section("Latency", [kafka, requests, live, pictures, model, topicWeights])]),
        Command(
            name: "delivery",
            abstract: "Exactly once beside at least once, with the model and with a null model (the runs alternate).",
            sections: [Section("Delivery", [kafka, photographs, requests, runs, pictures, model])]),
        Command(
            name: "start", abstract: "From a worker's start to its first result.",
            sections: [Section("Start", [kafka, runs, pictures, model])]),
    ]

    static let command = Command(
        name: "PlumbingBenchmark", abstract: "Measures kaption-worker against a real Kafka; wants a quiet machine.",
        subcommands: subcommands)
}
