import Foundation
import Messaging
import PictureDrawing
import TestSupport
import Testing

/// A broker, a storage folder and topics of one test, with workers that are started as their user would.
final class Trial {
    enum Broker: String, CaseIterable, Sendable {
        case embedded, apacheKafka

        static let available = allCases.filter { $0 == .embedded || KafkaLocal.isPresent }
    }

    struct Request {
        var partition: Int32
        var key: String?
        var value: [UInt8]?
        var headers: [KafkaHeader] = []

        init(_ value: String?, partition: Int32 = 0, key: String? = nil, headers: [KafkaHeader] = []) {
            self.partition = partition
            self.key = key
            self.value = value.map { Array($0.utf8) }
            self.headers = headers
        }
    }

    static let partitions = 4

    let storage: TemporaryDirectory
    let bootstrapServers: String
    let requestsTopic: String
    let resultsTopic: String
    let deadLettersTopic: String
    let group: String
    private let broker: any TestBroker
    /// One for all requests: a new one would have to connect first, and that would count as the worker's time.
    private let producer: KafkaProducer
    private let files = try? TemporaryDirectory()
    private var starts = 0

    /// - Parameter resultBytes: the most that the results topic takes of one record; nil for the broker's default.
    init(_ broker: Broker, resultBytes: Int? = nil) throws {
        let name = "trial-\(UUID().uuidString.prefix(8).lowercased())"
        group = name
        requestsTopic = name + ".requests"
        resultsTopic = name + ".results"
        deadLettersTopic = name + ".dead-letters"
        let topics = [requestsTopic, resultsTopic, deadLettersTopic].map { "\($0):\(Self.partitions)" }
        self.broker = try broker == .embedded ? EmbeddedTestBroker(topics: topics) : KafkaLocal.shared()
        bootstrapServers = self.broker.bootstrapServers
        storage = try TemporaryDirectory()
        producer = try KafkaProducer(KafkaConfiguration(bootstrapServers: bootstrapServers)) { report in
            #expect(report.error == nil)
        }
        // One partition more than one would not keep the order; the worker makes the topics where they are missing.
        let admin = try KafkaAdmin(KafkaConfiguration(bootstrapServers: bootstrapServers))
        let specifications = [requestsTopic, resultsTopic, deadLettersTopic].map {
            TopicSpecification(
                $0, partitions: Self.partitions, maximumMessageBytes: $0 == resultsTopic ? resultBytes : nil)
        }
        _ = try admin.ensureTopics(specifications, timeout: .seconds(30))
    }

    /// Starts a worker and waits until it has all partitions, or, beside others, some.
    /// - Parameter hooks: the value of `KAPTION_TEST_HOOKS`.
    func startWorker(_ options: [String] = [], hooks: String = "", sharing: Bool = false) throws -> Worker {
        starts += 1
        let log = try #require(files).url.appendingPathComponent("worker-\(starts).log")
        let worker = Worker(
            process: try ChildProcess(
                ChildProcess.product("kaption-worker"),
                [
                    "--bootstrap-servers", bootstrapServers, "--storage", storage.url.path,
                    "--model", SharedFiles.packageRoot.appendingPathComponent("Models/kaption-small").path,
                    "--group", group, "--topics", requestsTopic, "--results-topic", resultsTopic,
                    "--dead-letters-topic", deadLettersTopic, "-X", "session.timeout.ms=6000",
                ] + options, environment: ["KAPTION_TEST_HOOKS": hooks], errors: log), log: log)
        let isAssigned = eventually(within: .seconds(60)) {
            worker.logText.components(separatedBy: "\(requestsTopic)[").count > (sharing ? 1 : Self.partitions)
        }
        #expect(isAssigned, "the worker got no partitions:\n\(worker.logText)")
        return worker
    }

    /// - Parameter topic: nil for the trial's own.
    func enqueue(_ requests: [Request], topic: String? = nil) throws {
        for request in requests {
            try producer.produce(
                topic: topic ?? requestsTopic, partition: request.partition, key: request.key.map { Array($0.utf8) },
                value: request.value, headers: request.headers)
        }
        #expect(producer.flush(timeout: .seconds(20)))
    }

    /// Reads a topic from its beginning on.
    func reader(of topic: String) throws -> Reader {
        let consumer = try KafkaConsumer(
            KafkaConfiguration(bootstrapServers: bootstrapServers), groupID: group + "-reader",
            properties: ["auto.offset.reset": "earliest"])
        try consumer.assign(
            (0..<Int32(Self.partitions)).map {
                TopicPartitionOffset(
                    TopicPartition(topic: topic, partition: $0), offset: TopicPartitionOffset.beginning)
            })
        return Reader(consumer: consumer)
    }

    struct Worker {
        let process: ChildProcess
        let log: URL

        var logText: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }

        /// Ends it; the exit code.
        func stop(_ signal: Int32 = SIGTERM) -> Int32 {
            process.signal(signal)
            return process.wait()
        }
    }

    /// Collects the records of one topic.
    final class Reader {
        private let consumer: KafkaConsumer
        private(set) var messages: [KafkaMessage] = []

        init(consumer: KafkaConsumer) { self.consumer = consumer }

        deinit { consumer.close(deadline: .seconds(5)) }

        /// Reads until the condition holds; whether it came to hold in time.
        func read(within timeout: Duration, until isEnough: ([KafkaMessage]) -> Bool) -> Bool {
            let end = ContinuousClock().now + timeout
            while !isEnough(messages) {
                if ContinuousClock().now >= end { return false }
                if case .message(let message) = consumer.poll(timeoutMilliseconds: 50) { messages.append(message) }
            }
            return true
        }

        func results() throws -> [CaptionResult] {
            try messages.map { try CaptionResult(decoding: $0.value ?? []) }
        }
    }
}
