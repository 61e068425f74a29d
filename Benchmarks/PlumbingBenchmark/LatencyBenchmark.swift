import CommandLineOptions
import Foundation
import Messaging

/// How long a live request takes from its production to its result's arrival: one at a time on an idle worker, then with
/// bulk requests waiting in another topic.
struct LatencyBenchmark {
    private let workbench: Workbench

    init(_ workbench: Workbench) { self.workbench = workbench }

    func run(bulk: Int, live: Int) throws {
        let weights = workbench.options[BenchmarkOptions.topicWeights].split(separator: ",")
        guard weights.count == 2 else { throw Workbench.Failure(description: "--weights takes two numbers") }
        let (liveTopic, bulkTopic) = (try workbench.makeTopic("live"), try workbench.makeTopic("bulk"))
        let results = try workbench.makeTopic("results")
        let (storage, images) = try workbench.pictures()
        let worker = try workbench.startWorker(
            topics: "\(liveTopic)=\(weights[0]),\(bulkTopic)=\(weights[1])", results: results, storage: storage)
        try worker.waitUntilAssigned()
        let caller = try Caller(workbench, requests: liveTopic, results: results, images: images)
        // The first pays for connections.
        _ = try caller.latencies(20)
        let idle = try caller.latencies(live)
        report("idle", idle)
        try workbench.enqueue(bulk, on: bulkTopic, images: images)
        let begun = try workbench.count(of: results)
        try workbench.wait(for: begun + 500, on: results, within: .seconds(120))
        let (start, before) = (ContinuousClock.now, try workbench.count(of: results))
        let busy = try caller.latencies(live)
        let seconds = start.duration(to: .now) / .seconds(1)
        let bulkDone = try workbench.count(of: results) - before - live
        report("with \(bulk) bulk requests waiting", busy)
        print(
            "ratio to the idle median: median \(text(busy.median / idle.median, 2)), p99 "
                + "\(text(busy.percentile(99) / idle.median, 2)); bulk meanwhile "
                + "\(text(Double(bulkDone) / seconds))/s")
        // What is left waiting is nobody's.
        worker.process.signal(SIGKILL)
        worker.process.wait()
    }

    private func report(_ name: String, _ latencies: [Double]) {
        print(
            "\(name): \(latencies.count) live requests, median \(text(latencies.median)) ms, p90 "
                + "\(text(latencies.percentile(90))), p99 \(text(latencies.percentile(99))), "
                + "worst \(text(latencies.percentile(100)))")
    }
}

/// Sends live requests and waits for their results.
private final class Caller {
    private let topic: String
    private let images: [String]
    private let producer: KafkaProducer
    private let consumer: KafkaConsumer
    private var sent = 0

    init(_ workbench: Workbench, requests: String, results: String, images: [String]) throws {
        topic = requests
        self.images = images
        producer = try KafkaProducer(workbench.configuration(), properties: ["linger.ms": "0"]) { _ in }
        consumer = try KafkaConsumer(workbench.configuration(), groupID: workbench.name("caller"))
        try consumer.assign(
            try workbench.watermarks(of: results).enumerated().map {
                TopicPartitionOffset(
                    TopicPartition(topic: results, partition: Int32($0.offset)), offset: $0.element.upperBound)
            })
    }

    deinit { consumer.close(deadline: .seconds(5)) }

    /// Milliseconds of so many requests, one after the other, with pauses so that they meet the worker at any moment.
    func latencies(_ count: Int) throws -> [Double] {
        try (0..<count).map { _ in
            usleep(.random(in: 0..<50_000))
            return try latency()
        }
    }

    private func latency() throws -> Double {
        sent += 1
        let id = "live-\(sent)"
        let start = ContinuousClock.now
        try producer.produce(
            topic: topic, key: Array(id.utf8),
            value: Array(#"{"id":"\#(id)","image":"\#(images[sent % images.count])"}"#.utf8))
        while start.duration(to: .now) < .seconds(60) {
            guard case .message(let message) = consumer.poll(timeoutMilliseconds: 100) else { continue }
            if message.key == Array(id.utf8) { return start.duration(to: .now) / .milliseconds(1) }
        }
        throw Workbench.Failure(description: "no result of \(id) within a minute")
    }
}
