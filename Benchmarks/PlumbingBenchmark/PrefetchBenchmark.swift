import Foundation
import TestSupport

/// How many bytes the worker receives from Kafka for each byte of the requests that it takes, with its window always full.
struct PrefetchBenchmark {
    private struct Traffic {
        var consumed = 0.0
        var fetched = 0.0
        var received = 0.0

        /// The last that the worker's log tells.
        init?(_ log: String) {
            guard let line = log.split(separator: "\n").last(where: { $0.contains(" traffic ") }) else { return nil }
            for word in line.split(separator: " ") {
                let parts = word.split(separator: "=")
                guard parts.count == 2, let number = Double(parts[1]) else { continue }
                switch parts[0] {
                case "bytes_consumed": consumed = number
                case "bytes_fetched": fetched = number
                case "bytes_received": received = number
                default: break
                }
            }
        }
    }

    private let workbench: Workbench

    init(_ workbench: Workbench) { self.workbench = workbench }

    func run(requests: Int) throws {
        let input = try workbench.makeTopic("requests")
        let images = (0..<1000).map { "photographs/2026/01/IMG_\($0 + 1_000_000).jpg" }
        let bytes = try workbench.enqueue(requests, on: input, images: images)
        let results = try workbench.makeTopic("results")
        let worker = try workbench.startWorker(
            topics: input, results: results, storage: workbench.files.url.path, hooks: "null-model",
            options: ["--log-level", "debug"])
        try workbench.wait(for: requests, on: results, within: .seconds(1800))
        // librdkafka tells every few seconds.
        let isTold = eventually(within: .seconds(30)) {
            Traffic(worker.logText).map { $0.consumed >= Double(bytes) } ?? false
        }
        let traffic = Traffic(worker.logText)
        try worker.stop()
        guard isTold, let traffic else {
            throw Workbench.Failure(description: "the worker does not tell its traffic:\n\(worker.logText)")
        }
        print(
            "\(requests) requests in \(text(workbench.seconds(of: try workbench.ends(of: results)))) s, "
                + "\(text(traffic.consumed, 0)) bytes consumed")
        print(
            "fetched as records: \(text(traffic.fetched, 0)) bytes, ratio \(text(traffic.fetched / traffic.consumed, 3))"
        )
        print(
            "received from the brokers, protocol and all: \(text(traffic.received, 0)) bytes, ratio "
                + text(traffic.received / traffic.consumed, 3))
    }
}
