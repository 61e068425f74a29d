import CommandLineOptions
import Foundation
import Messaging
import PictureDrawing
import TestSupport

/// What all benchmarks need: a Kafka, topics, requests, workers, and a look at how far they are.
final class Workbench {
    static let partitions: Int32 = 8

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    let options: ParsedOptions
    let bootstrapServers: String
    let files: TemporaryDirectory
    private let broker: KafkaLocal?
    private let admin: KafkaAdmin
    private let observer: KafkaConsumer
    private var names = 0

    init(_ options: ParsedOptions) throws {
        self.options = options
        if let servers = options[BenchmarkOptions.kafka] {
            bootstrapServers = servers
            broker = nil
        } else {
            guard KafkaLocal.isPresent else { throw Failure(description: "no Kafka at hand; name one with --kafka") }
            let own = try KafkaLocal()
            broker = own
            bootstrapServers = own.bootstrapServers
        }
        files = try TemporaryDirectory()
        admin = try KafkaAdmin(KafkaConfiguration(bootstrapServers: bootstrapServers))
        observer = try KafkaConsumer(
            KafkaConfiguration(bootstrapServers: bootstrapServers), groupID: "benchmark-observer")
    }

    func configuration() -> KafkaConfiguration { KafkaConfiguration(bootstrapServers: bootstrapServers) }

    /// A name of its own for a topic or a group.
    func name(_ kind: String) -> String {
        names += 1
        return "benchmark-\(ProcessInfo.processInfo.processIdentifier)-\(names).\(kind)"
    }

    func makeTopic(_ kind: String) throws -> String {
        let topic = name(kind)
        _ = try admin.ensureTopics([TopicSpecification(topic, partitions: Int(Self.partitions))], timeout: .seconds(30))
        // The metadata names leaders before they have all taken office.
        let isLed = eventually(within: .seconds(30)) { (try? watermarks(of: topic)) != nil }
        if !isLed { throw Failure(description: "\(topic) has no leaders") }
        return topic
    }

    /// Enqueues requests as a caller would write them, in the order of their numbers; returns the bytes of their values and
    /// keys.
    @discardableResult
    func enqueue(_ count: Int, on topic: String, images: [String]) throws -> Int {
        let producer = try KafkaProducer(configuration(), properties: ["linger.ms": "20"]) { _ in }
        var bytes = 0
        for number in 0..<count {
            let id = "request-\(number + 1_000_000)"
            let value =
                Array(
                    #"{"id":"\#(id)","image":"\#(images[number % images.count])","batch":"import-2026-01-31","#.utf8)
                + Array(#""metadata":{"album":"holiday","owner":17,"tags":["beach","dog"]}}"#.utf8)
            bytes += value.count + id.utf8.count
            while true {
                do {
                    try producer.produce(topic: topic, key: Array(id.utf8), value: value)
                    break
                } catch let error as KafkaError where error.category == .queueFull {
                    usleep(1000)
                }
            }
        }
        guard producer.close(deadline: .seconds(120)) else { throw Failure(description: "requests were not delivered") }
        return bytes
    }

    /// A reader of all of a topic, from its beginning; it sees what is committed.
    func makeReader(of topic: String, properties: [String: String] = [:]) throws -> KafkaConsumer {
        let reader = try KafkaConsumer(configuration(), groupID: name("reader"), properties: properties)
        try reader.assign(
            (0..<Self.partitions).map {
                TopicPartitionOffset(TopicPartition(topic: topic, partition: $0), offset: 0)
            })
        return reader
    }

    /// Records on a topic: of each partition the first offset and the one after the last.
    func watermarks(of topic: String) throws -> [Range<Int64>] {
        try (0..<Self.partitions).map {
            try observer.watermarks(of: TopicPartition(topic: topic, partition: $0), timeout: .seconds(10))
        }
    }

    func count(of topic: String) throws -> Int { try watermarks(of: topic).reduce(0) { $0 + $1.count } }

    /// Waits until a topic has so many records.
    func wait(for count: Int, on topic: String, within timeout: Duration) throws {
        let isThere = try eventually(within: timeout) {
            if try self.count(of: topic) >= count { return true }
            usleep(50_000)
            return false
        }
        if !isThere { throw Failure(description: "\(topic) has \(try self.count(of: topic)) of \(count) records") }
    }

    /// The first and the last record of each partition.
    func ends(of topic: String) throws -> [KafkaMessage] {
        let consumer = try KafkaConsumer(configuration(), groupID: name("reader"))
        defer { consumer.close(deadline: .seconds(5)) }
        var found: [KafkaMessage] = []
        for (number, range) in try watermarks(of: topic).enumerated() where !range.isEmpty {
            for offset in [range.lowerBound, range.upperBound - 1] {
                let partition = TopicPartition(topic: topic, partition: Int32(number))
                try consumer.assign([TopicPartitionOffset(partition, offset: offset)])
                let before = found.count
                let isRead = eventually(within: .seconds(20)) {
                    if case .message(let message) = consumer.poll(timeoutMilliseconds: 100) { found.append(message) }
                    return found.count > before
                }
                if !isRead { throw Failure(description: "cannot read \(partition) at \(offset)") }
            }
        }
        return found
    }

    /// Seconds from the first record of a topic to its last, by the times of their production.
    func seconds(of ends: [KafkaMessage]) -> Double {
        let times = ends.map(\.timestamp)
        return Double((times.max() ?? 0) - (times.min() ?? 0)) / 1000
    }

    /// The folder of the photographs, and their names.
    func pictures() throws -> (storage: String, names: [String]) {
        if let folder = options[BenchmarkOptions.pictures] {
            let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".jpg") }
            if names.isEmpty { throw Failure(description: "there is no .jpg in \(folder)") }
            return (folder, Array(names.sorted().prefix(500)))
        }
        var names: [String] = []
        for scene in SampleScene.allCases {
            names.append("\(scene).jpg")
            try files.write("\(scene).jpg", JPEGFile().write(scene.draw(width: 500, height: 375)))
        }
        return (files.url.path, names)
    }

    /// A worker of its own group; it is killed when the value goes.
    func startWorker(
        topics: String, results: String, storage: String, hooks: String = "", options extra: [String] = []
    ) throws -> Worker {
        let log = try files.write("worker-\(name("log"))", Data())
        let process = try ChildProcess(
            ChildProcess.product("kaption-worker"),
            [
                "--bootstrap-servers", bootstrapServers, "--storage", storage, "--group", name("group"),
                "--model", options[BenchmarkOptions.model], "--topics", topics, "--results-topic", results,
                "--dead-letters-topic", results + ".dead-letters",
            ] + extra, environment: ["KAPTION_TEST_HOOKS": hooks], errors: log)
        return Worker(process: process, log: log)
    }
}

struct Worker {
    let process: ChildProcess
    let log: URL

    var logText: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }

    func waitUntilAssigned() throws {
        guard eventually(within: .seconds(60), { logText.contains(" assigned ") }) else {
            throw Workbench.Failure(description: "the worker got no partitions:\n\(logText)")
        }
    }

    /// Ends it as its user would.
    func stop() throws {
        process.signal(SIGTERM)
        let code = process.wait()
        if code != 0 { throw Workbench.Failure(description: "the worker ended with \(code):\n\(logText)") }
    }

    /// User and system time of all its threads so far.
    var processorSeconds: Double { ProcessorTime.seconds(of: process.processIdentifier) }
}

enum ProcessorTime {
    /// From the kernel's account of the process; 0 when it has ended.
    static func seconds(of process: Int32) -> Double {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return 0 }
        // Fields 14 and 15, the first after the name being the third.
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}

extension [Double] {
    var median: Double { percentile(50) }

    /// The smallest that at least so many percent do not exceed.
    func percentile(_ percent: Double) -> Double {
        let sorted = sorted()
        if sorted.isEmpty { return 0 }
        return sorted[Swift.min(sorted.count - 1, Int((percent / 100 * Double(sorted.count)).rounded(.up)) - 1)]
    }
}

func text(_ number: Double, _ digits: Int = 1) -> String { String(format: "%.\(digits)f", number) }
