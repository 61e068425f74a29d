import Foundation
import Messaging
import PictureDrawing
import TestSupport
import Testing

/// A user, a storage folder and topics of one test on a broker that lets nobody do anything without an ACL.
final class SecuredTrial {
    struct Outcome {
        var exitCode: Int32
        var output: String
        var log: String
    }

    let kafka: SecuredKafka
    let user: String
    let name = "secured-\(UUID().uuidString.prefix(8).lowercased())"
    private var topicPrefix: String
    let storage: TemporaryDirectory
    private let files: TemporaryDirectory
    private let root: KafkaConfiguration
    private var starts = 0

    var requests: String { topicPrefix + ".requests" }
    var results: String { topicPrefix + ".results" }
    var deadLetters: String { topicPrefix + ".dead-letters" }
    var transactionalID: String { "kaption-\(name)-worker-1" }

    /// - Parameter user: nil for one that has a password.
    init(user: String? = nil, makesTopics: Bool = true) throws {
        kafka = try SecuredKafka.shared()
        self.user = user ?? SecuredKafka.newUser()
        topicPrefix = name
        storage = try TemporaryDirectory()
        files = try TemporaryDirectory()
        root = KafkaConfiguration(bootstrapServers: kafka.bootstrapServers)
        try storage.write("a.jpg", JPEGFile().write(SampleScene.beach.draw(width: 224, height: 224)))
        if makesTopics {
            _ = try KafkaAdmin(root).ensureTopics(
                [requests, results, deadLetters].map { TopicSpecification($0, partitions: 2) }, timeout: .seconds(30))
        }
    }

    /// Another user for the same topics.
    func adoptTopics(of other: SecuredTrial) { topicPrefix = other.name }

    // MARK: Rights

    typealias Entry = AccessControl.Entry

    var ofWorker: [Entry] {
        [
            Entry(.read, .topic(requests)), Entry(.read, .group(name)), Entry(.write, .topic(results)),
            Entry(.write, .topic(deadLetters)),
        ]
    }

    func grant(_ entries: [Entry]) throws { try kafka.accessControl.grant(entries, to: user) }

    func take(_ entries: [Entry]) throws { try kafka.accessControl.take(entries, from: user) }

    // MARK: Programs

    /// How a program of this user reaches the broker.
    var plain: [String] {
        [
            "--bootstrap-servers", kafka.sasl, "-X", "security.protocol=SASL_PLAINTEXT", "-X", "sasl.mechanism=PLAIN",
            "-X",
            "sasl.username=\(user)",
        ]
    }

    var password: [String: String] { ["KAPTION_SECRET_SASL_PASSWORD": SecuredKafka.password(of: user)] }

    private var workerOptions: [String] {
        [
            "--storage", storage.url.path, "--model",
            SharedFiles.packageRoot.appendingPathComponent("Models/kaption-small").path, "--group", name, "--topics",
            requests, "--results-topic", results, "--dead-letters-topic", deadLetters, "--partitions", "2", "--beam",
            "1",
            "--threads", "1", "-X", "session.timeout.ms=6000",
        ]
    }

    struct Running {
        let process: ChildProcess
        let log: URL

        var logText: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }

        func wrote(_ text: String, within timeout: Duration = .seconds(60)) -> Bool {
            eventually(within: timeout) { logText.contains(text) }
        }

        func stop() -> Int32 {
            process.signal(SIGTERM)
            return process.wait()
        }
    }

    func startWorker(_ access: [String]? = nil, _ options: [String] = [], environment: [String: String]? = nil) throws
        -> Running
    {
        starts += 1
        let log = files.url.appendingPathComponent("worker-\(starts).log")
        let process = try ChildProcess(
            ChildProcess.product("kaption-worker"), (access ?? plain) + workerOptions + options,
            environment: environment ?? password, errors: log)
        return Running(process: process, log: log)
    }

    /// Runs a worker that ends by itself.
    func runWorker(_ options: [String] = []) throws -> Outcome {
        let worker = try startWorker(nil, options)
        let exitCode = worker.process.wait()
        return Outcome(exitCode: exitCode, output: "", log: worker.logText)
    }

    func runEnqueue(_ options: [String], access: [String]? = nil, environment: [String: String]? = nil) throws
        -> Outcome
    {
        starts += 1
        let log = files.url.appendingPathComponent("enqueue-\(starts).log")
        let process = try ChildProcess(
            ChildProcess.product("kaption-enqueue"),
            (access ?? plain) + ["--progress", "none", "--timeout", "20s"] + options,
            environment: environment ?? password, errors: log)
        let output = (try? process.line(after: #"{"codes""#)) ?? ""
        return Outcome(
            exitCode: process.wait(), output: output, log: (try? String(contentsOf: log, encoding: .utf8)) ?? "")
    }

    /// Makes a dead letter by a worker of this trial.
    func fail(_ image: String) throws {
        let worker = try startWorker(nil, ["--retry-budget", "0s"])
        try enqueue([image])
        #expect(try eventually(within: .seconds(60)) { try count(deadLetters) >= 1 }, "\(worker.logText)")
        #expect(worker.stop() == 0)
    }

    // MARK: Topics, as the super user

    func enqueue(_ values: [String]) throws {
        let producer = try KafkaProducer(root) { #expect($0.error == nil) }
        for value in values { try producer.produce(topic: requests, value: Array(value.utf8)) }
        #expect(producer.close(deadline: .seconds(30)))
    }

    /// How many records a topic has that a reader may see.
    func count(_ topic: String) throws -> Int { try read(topic).count }

    func read(_ topic: String) throws -> [KafkaMessage] {
        let consumer = try KafkaConsumer(
            root, groupID: name + ".reader", properties: ["enable.partition.eof": "true"])
        try consumer.assign((0..<Int32(2)).map { TopicPartitionOffset(.init(topic: topic, partition: $0), offset: -2) })
        var messages: [KafkaMessage] = []
        var ends = 0
        _ = eventually(within: .seconds(30)) {
            switch consumer.poll(timeoutMilliseconds: 50) {
            case .message(let message): messages.append(message)
            case .partitionEnd: ends += 1
            default: break
            }
            return ends == 2
        }
        #expect(consumer.close(deadline: .seconds(10)))
        return messages
    }
}
