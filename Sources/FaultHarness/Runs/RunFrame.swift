import Foundation
import Messaging

/// What every run needs around it: brokers, topics, pictures, workers, the load and the watch; and what is done at the end
/// of each: catching up, reading everything back, judging.
final class RunFrame {
    static let requestPartitions = 8
    static let resultPartitions = 4

    let settings: RunSettings
    let folder: URL
    let stage: Stage
    let load: RequestLoad
    let watch = ResultWatch()
    private let kafka: KafkaConfiguration
    private let started = ContinuousClock.now

    /// Starts the brokers, makes the topics and draws the pictures.
    init(_ settings: RunSettings, name: String, rate: Double) throws {
        self.settings = settings
        folder = settings.logs.appendingPathComponent(name)
        try? FileManager.default.removeItem(at: folder)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let journal = Journal(file: folder.appendingPathComponent("harness.log"), isVerbose: settings.isVerbose)
        let cluster = KafkaCluster(
            program: settings.kafkaLocal, folder: folder.appendingPathComponent("kafka"), brokers: settings.brokers)
        Cleanup.set(cluster)
        journal.note("starting \(settings.brokers) broker(s)")
        // An orphan's transaction is noticed at once, not within 10 s.
        try cluster.start(settings: ["transaction.abort.timed.out.transaction.cleanup.interval.ms=1000"])

        var kafka = KafkaConfiguration(bootstrapServers: cluster.bootstrapServers, clientID: "kaption-chaos")
        kafka.set("reconnect.backoff.ms", "50")
        kafka.set("reconnect.backoff.max.ms", "500")
        kafka.set("topic.metadata.refresh.interval.ms", "2000")
        self.kafka = kafka
        let topics = TopicNames(group: "chaos-\(settings.seed)")
        let admin = try KafkaAdmin(kafka)
        let largest = 1_200_000
        _ = try admin.ensureTopics(
            [
                TopicSpecification(topics.requests, partitions: Self.requestPartitions),
                TopicSpecification(
                    topics.results, partitions: Self.resultPartitions, maximumMessageBytes: largest),
                TopicSpecification(topics.deadLetters, partitions: 1, maximumMessageBytes: largest),
            ], timeout: .seconds(60))

        let pictures = try PictureStore(in: folder)
        let ledger = Ledger(prefix: "s\(settings.seed)", partitionCount: Self.requestPartitions)
        let workers = WorkerCrew(
            .init(
                program: settings.programs.appendingPathComponent("kaption-worker"),
                arguments: Self.workerArguments(settings, cluster: cluster, topics: topics, pictures: pictures),
                isStatic: settings.isStatic, folder: folder), journal: journal)
        stage = Stage(
            shape: settings.shape, topics: topics, cluster: cluster, admin: admin,
            offsets: try GroupOffsets(kafka, group: topics.group), workers: workers, pictures: pictures,
            ledger: ledger, journal: journal)
        load = RequestLoad(kafka, topic: topics.requests, count: settings.requests, rate: rate, ledger: ledger)
    }

    private static func workerArguments(
        _ settings: RunSettings, cluster: KafkaCluster, topics: TopicNames, pictures: PictureStore
    ) -> [String] {
        // One thread a worker: there are more workers than cores. Sessions and poll intervals are short, so that a run
        // takes minutes.
        [
            "--bootstrap-servers", cluster.bootstrapServers, "--storage", pictures.folder.path,
            "--storage-sentinel", PictureStore.sentinel,
            "--model", settings.model, "--group", topics.group, "--topics", topics.requests,
            "--results-topic", topics.results, "--dead-letters-topic", topics.deadLetters,
            "--delivery", settings.mode.rawValue, "--threads", "1", "--beam", "1",
            "-X", "session.timeout.ms=6000", "-X", "max.poll.interval.ms=10000",
            "-X", "topic.metadata.refresh.interval.ms=5000",
        ] + settings.workerArguments
    }

    /// Starts workers, load and watch, and waits until the first answers come.
    func begin() throws {
        try stage.workers.start(Array(0..<settings.workers))
        watch.start(kafka, topic: stage.topics.results, partitionCount: Self.resultPartitions)
        try load.start()
        load.allow(upTo: 2 * Self.requestPartitions)
        let isAnswered = try stage.eventually(within: .seconds(120)) {
            try stage.workers.supervise()
            return Set(watch.sightings.map(\.request.partition)).count == Self.requestPartitions
        }
        guard isAnswered else { throw HarnessError("the workers answered nothing within 120 s of their start") }
    }

    /// Waits until every request is acknowledged and the group has committed all, and stops the workers.
    /// - Throws: `HarnessError` with the partitions that stand still.
    func end() throws {
        try awaitProgress("requests that Kafka has not acknowledged") { [load] in
            let left = load.unacknowledged
            return left == 0 ? "" : "\(left)"
        }
        stage.journal.note("all requests are acknowledged; the group has to catch up")
        try awaitProgress("requests that the group has not committed") { [stage] in
            let left = try stage.offsets.uncommitted(of: stage.requestPartitions)
            return left.map { "\($0.key) \($0.value)" }.sorted().joined(separator: ", ")
        }
        stage.workers.stop(stage.workers.running)
    }

    /// Waits until nothing is left (the empty text); what is left must change within 90 s.
    private func awaitProgress(_ what: String, left: () throws -> String) throws {
        var last: String?
        var change = ContinuousClock.now
        while true {
            try stage.workers.supervise()
            // Asking may fail while brokers are away.
            let now = (try? left()) ?? last
            if now == "" { return }
            if now != last { (last, change) = (now, .now) }
            guard ContinuousClock.now - change < .seconds(90) else {
                throw HarnessError("stuck for 90 s: \(what): \(now ?? "brokers do not answer")")
            }
            Thread.sleep(forTimeInterval: 0.3)
        }
    }

    /// Reads everything back and judges it.
    func judge() throws -> RunReport {
        let topics = stage.topics
        let ledger = stage.ledger
        let results = try readAll(topics.results, partitions: Self.resultPartitions).map(ResultRecord.init)
        let letters = try readAll(topics.deadLetters, partitions: 1).map(DeadLetterRecord.init)
        let content = ledger.current
        let findings = Findings(ledger: content, id: ledger.id, results: results, deadLetters: letters)
        let counted = stage.workers.logs.reduce(0) { $0 + WorkerLog(file: $1).lostToRetention }
        var objections = settings.mode.objections(to: findings) + stage.workers.misconduct
        if counted != content.deletedOffsets {
            objections.append(
                "the workers counted \(counted) requests lost to retention, \(content.deletedOffsets) were")
        }
        return RunReport(
            seed: settings.seed, mode: settings.mode, accepted: content.accepted.count, faults: settings.faults,
            findings: findings, lost: content.deletedOffsets, lostCounted: counted,
            longestStall: Stalls.longest(
                accepted: content.accepted.mapValues(\.time), sightings: watch.sightings),
            duration: .now - started, objections: objections)
    }

    private func readAll(_ topic: String, partitions: Int) throws -> [KafkaMessage] {
        let all = (0..<Int32(partitions)).map { TopicPartition(topic: topic, partition: $0) }
        return try TopicReader.readAll(
            topic, upTo: try stage.offsets.ends(of: all), configuration: kafka, timeout: .seconds(60))
    }

    /// Ends everything. The logs stay if they are wanted, the brokers' data never does.
    func tearDown(keepingLogs: Bool) {
        load.stop()
        watch.stop()
        stage.workers.kill(stage.workers.running)
        if keepingLogs { try? stage.cluster.stopKeepingLogs() } else { try? stage.cluster.wipe() }
        Cleanup.set(nil)
        if !keepingLogs { try? FileManager.default.removeItem(at: folder) }
    }
}
