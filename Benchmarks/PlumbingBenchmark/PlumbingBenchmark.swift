import BareLoop
import Foundation
import Messaging

/// The worker with a null model beside a bare C loop, on the same requests, brokers and sizes, in alternating runs.
struct PlumbingBenchmark {
    private struct Measurement {
        var perSecond: Double
        var processorSeconds: Double
    }

    private let workbench: Workbench

    init(_ workbench: Workbench) { self.workbench = workbench }

    func run(requests: Int, runs: Int, warmUps: Int, window: Int) throws {
        let input = try workbench.makeTopic("requests")
        let images = (0..<1000).map { "photographs/2026/01/IMG_\($0 + 1_000_000).jpg" }
        let bytes = try workbench.enqueue(requests, on: input, images: images)
        // Not counted: the first shows what a result looks like, and all warm Kafka, which compiles its own code meanwhile and
        // so takes a core from whoever is measured.
        let (_, sample) = try runWorker(requests, input, window)
        let resultBytes = sample.value?.count ?? 0
        print(
            "\(requests) requests of \(bytes / requests) bytes (key and value), results of \(resultBytes) bytes and "
                + "\(sample.headers.count) headers of \(sample.headersByteCount) bytes, \(Workbench.partitions) partitions, "
                + "window \(window)")
        _ = try runLoop(requests, input, like: sample)
        for _ in 1..<max(1, warmUps) {
            _ = try runWorker(requests, input, window)
            _ = try runLoop(requests, input, like: sample)
        }
        var ours: [Measurement] = []
        var bare: [Measurement] = []
        for number in 1...runs {
            ours.append(try runWorker(requests, input, window).0)
            bare.append(try runLoop(requests, input, like: sample))
            print(
                "run \(number): worker \(describe(ours[number - 1]))   bare loop \(describe(bare[number - 1]))")
        }
        let median = (ours: ours.map(\.perSecond).median, bare: bare.map(\.perSecond).median)
        let processor = (ours: ours.map(\.processorSeconds).median, bare: bare.map(\.processorSeconds).median)
        print(
            "median: worker \(text(median.ours, 0))/s, bare loop \(text(median.bare, 0))/s, ratio \(text(median.ours / median.bare, 2))"
        )
        print(
            "processor: worker \(text(processor.ours / Double(requests) * 1e6, 2)) µs a request, bare loop "
                + "\(text(processor.bare / Double(requests) * 1e6, 2)) µs")
        let json = try JSONCost.measure(sample: sample)
        print(
            "JSON: \(text(json.parse, 2)) µs to parse a request, \(text(json.encode, 2)) µs to write a result: "
                + "\(text((json.parse + json.encode) / (processor.ours / Double(requests) * 1e6) * 100, 0))% of the worker's "
                + "processor time")
    }

    private func describe(_ measurement: Measurement) -> String {
        "\(text(measurement.perSecond, 0))/s \(text(measurement.processorSeconds, 2)) s of processor"
    }

    private func runWorker(_ requests: Int, _ input: String, _ window: Int) throws -> (Measurement, KafkaMessage) {
        let results = try workbench.makeTopic("results")
        let worker = try workbench.startWorker(
            topics: input, results: results, storage: workbench.files.url.path, hooks: "null-model",
            options: ["--window", String(window)])
        try worker.waitUntilAssigned()
        let before = worker.processorSeconds
        try workbench.wait(for: requests, on: results, within: .seconds(600))
        let processor = worker.processorSeconds - before
        try worker.stop()
        return try measurement(requests, results, processor)
    }

    private func runLoop(_ requests: Int, _ input: String, like sample: KafkaMessage) throws -> Measurement {
        let results = try workbench.makeTopic("bare-results")
        let names = sample.headers.map { strdup($0.name) }
        let values = sample.headers.map { strdup(String(decoding: $0.value ?? [], as: UTF8.self)) }
        let strings = [workbench.bootstrapServers, workbench.name("group"), input, results]
        let texts = strings.map { (text: String) in UnsafePointer(strdup(text)) }
        defer { for pointer in names + values + texts.map({ UnsafeMutablePointer(mutating: $0) }) { free(pointer) } }
        let before = ProcessorTime.seconds(of: getpid())
        var error = [CChar](repeating: 0, count: 512)
        let code = names.map { UnsafePointer($0) }.withUnsafeBufferPointer { names in
            values.map { UnsafePointer($0) }.withUnsafeBufferPointer { values in
                var loop = kaption_bare_loop(
                    bootstrap_servers: texts[0], group: texts[1], input: texts[2], output: texts[3],
                    records: Int64(requests), value_size: sample.value?.count ?? 0,
                    header_names: names.baseAddress, header_values: values.baseAddress, header_count: names.count)
                return kaption_run_bare_loop(&loop, &error, error.count)
            }
        }
        let processor = ProcessorTime.seconds(of: getpid()) - before
        guard code == 0 else {
            let reason = String(decoding: error.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw Workbench.Failure(description: "the bare loop failed: \(reason)")
        }
        return try measurement(requests, results, processor).0
    }

    private func measurement(_ requests: Int, _ topic: String, _ processor: Double) throws -> (
        Measurement, KafkaMessage
    ) {
        let count = try workbench.count(of: topic)
        if count != requests { throw Workbench.Failure(description: "\(count) results of \(requests)") }
        let ends = try workbench.ends(of: topic)
        guard let sample = ends.first else { throw Workbench.Failure(description: "\(topic) is empty") }
        return (
            Measurement(perSecond: Double(requests) / workbench.seconds(of: ends), processorSeconds: processor), sample
        )
    }
}

/// What JSON costs for one request: parsing it, and writing its result. In microseconds.
enum JSONCost {
    static func measure(sample: KafkaMessage) throws -> (parse: Double, encode: Double) {
        let result = try CaptionResult(decoding: sample.value ?? [])
        let request = CaptionRequest(
            id: result.id, image: result.image, batch: result.batch, metadata: result.metadata)
        let message = KafkaMessage(
            topic: result.source.topic, partition: 0, offset: 0, timestamp: 0, key: Array(result.id.utf8),
            value: request.encoded())
        let parse = microseconds { CaptionRequest.parse(message).failure == nil ? 1 : 0 }
        let encode = microseconds { result.encoded().count }
        return (parse, encode)
    }

    private static func microseconds(_ body: () -> Int) -> Double {
        let rounds = 100_000
        var sum = 0
        // The thread's own time, as the worker's is its process's: a busy machine changes neither much.
        let start = threadNanoseconds()
        for _ in 0..<rounds { sum &+= body() }
        let elapsed = threadNanoseconds() - start
        precondition(sum > 0)
        return Double(elapsed) / 1000 / Double(rounds)
    }

    private static func threadNanoseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
