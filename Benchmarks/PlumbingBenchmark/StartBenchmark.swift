import Foundation
import Messaging

/// How long a worker takes from its start to its first result, with a request waiting in topics that are there.
struct StartBenchmark {
    private let workbench: Workbench

    init(_ workbench: Workbench) { self.workbench = workbench }

    func run(runs: Int) throws {
        let (storage, images) = try workbench.pictures()
        // The first is not counted: it warms Kafka and the page cache.
        let milliseconds = try (0...runs).map { _ in try measure(images, storage) }.dropFirst()
        print(
            "first result after the start: " + milliseconds.map { text($0, 0) }.joined(separator: ", ")
                + " ms, median \(text(Array(milliseconds).median, 0))")
    }

    private func measure(_ images: [String], _ storage: String) throws -> Double {
        let requests = try workbench.makeTopic("requests")
        let results = try workbench.makeTopic("results")
        try workbench.enqueue(1, on: requests, images: images)
        let reader = try workbench.makeReader(of: results, properties: ["fetch.wait.max.ms": "10"])
        defer { reader.close(deadline: .seconds(5)) }
        _ = reader.poll(timeoutMilliseconds: 500)
        let start = ContinuousClock.now
        let worker = try workbench.startWorker(topics: requests, results: results, storage: storage)
        while start.duration(to: .now) < .seconds(60) {
            guard case .message = reader.poll(timeoutMilliseconds: 100) else { continue }
            let taken = start.duration(to: .now) / .milliseconds(1)
            try worker.stop()
            return taken
        }
        throw Workbench.Failure(description: "no result within a minute:\n\(worker.logText)")
    }
}
