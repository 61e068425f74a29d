import Foundation
import Messaging

/// What exactly once costs: requests a second beside at least once, in alternating runs, as a `read_committed` reader sees
/// the results come.
struct DeliveryBenchmark {
    private let workbench: Workbench

    init(_ workbench: Workbench) { self.workbench = workbench }

    /// - Parameters:
    ///   - photographs: requests of a run with the model.
    ///   - requests: of a run with a null model, which shows the plumbing alone.
    func run(photographs: Int, requests: Int, runs: Int) throws {
        let (storage, images) = try workbench.pictures()
        try compare(
            "\(workbench.options[BenchmarkOptions.model]), \(photographs) images", photographs, images, runs,
            storage: storage)
        try compare("null model, \(requests) requests", requests, images, runs, storage: storage, hooks: "null-model")
    }

    private func compare(
        _ name: String, _ count: Int, _ images: [String], _ runs: Int, storage: String, hooks: String = ""
    ) throws {
        let input = try workbench.makeTopic("requests")
        try workbench.enqueue(count, on: input, images: images)
        var rates: [String: [Double]] = [:]
        // The first pair is not counted: it warms Kafka and the page cache.
        for number in 0...runs {
            for mode in ["at-least-once", "exactly-once"] {
                let rate = try measure(count, input, mode, storage: storage, hooks: hooks)
                if number > 0 { rates[mode, default: []].append(rate) }
            }
        }
        let (least, exactly) = (rates["at-least-once"] ?? [], rates["exactly-once"] ?? [])
        let ratios = zip(exactly, least).map { $0 / $1 }
        print(
            "\(name): at least once \(text(least.median))/s, exactly once \(text(exactly.median))/s, ratio of each pair "
                + ratios.map { text($0, 3) }.joined(separator: " ") + ", median \(text(ratios.median, 3))")
    }

    /// Results a second, from the first to the last.
    private func measure(
        _ count: Int, _ input: String, _ mode: String, storage: String, hooks: String
    ) throws -> Double {
        let results = try workbench.makeTopic("results")
        let reader = try workbench.makeReader(of: results)
        defer { reader.close(deadline: .seconds(5)) }
        let worker = try workbench.startWorker(
            topics: input, results: results, storage: storage, hooks: hooks, options: ["--delivery", mode])
        var arrived = 0
        var first = ContinuousClock.now
        var last = first
        let deadline = first + .seconds(600)
        while arrived < count, ContinuousClock.now < deadline {
            guard case .message = reader.poll(timeoutMilliseconds: 200) else { continue }
            last = .now
            if arrived == 0 { first = last }
            arrived += 1
        }
        try worker.stop()
        if arrived < count { throw Workbench.Failure(description: "\(arrived) of \(count) results came") }
        return Double(count) / (first.duration(to: last) / .seconds(1))
    }
}
