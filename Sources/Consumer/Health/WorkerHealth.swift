import CommandLineOptions
import Glibc
import Messaging
import Telemetry

/// What the worker's parts report to, and what tells of it: the health port, if one was asked for, and the log.
struct WorkerHealth {
    private static let stackBytes = 1 << 18

    let readiness: Readiness
    let counters: Counters
    let metrics: WorkerMetrics
    private let watchdog: Watchdog
    private let port: HealthPort?
    private let logger: Logger

    /// From here on the health port answers.
    init(_ options: ParsedOptions, logger: Logger) throws {
        let registry = MetricsRegistry()
        let readiness = Readiness(logger: logger)
        // An image that is tried again holds its partition, and that is as it should be.
        let watchdog = Watchdog(timeout: options[WorkerOptions.watermarkTimeout] + options[WorkerOptions.retryBudget])
        counters = Counters(registry)
        metrics = WorkerMetrics(registry: registry)
        metrics.declare(readiness, watchdog)
        port = try options[WorkerOptions.http].map {
            try HealthPort($0, readiness: readiness, watchdog: watchdog, registry: registry, logger: logger)
        }
        self.readiness = readiness
        self.watchdog = watchdog
        self.logger = logger
    }

    /// Watches Kafka from a thread of its own, until the process ends. Its clients are to tell it of errors.
    func watchKafka(by admin: KafkaAdmin) throws -> KafkaWatch {
        let watch = KafkaWatch(admin: admin, readiness: readiness)
        try ThreadGroup().start("kafka-watch", count: 1, stackBytes: Self.stackBytes) { watch.run() }
        return watch
    }

    /// Watches the commit watermarks from a thread of its own, until the process ends.
    func watchProgress(of ledger: Ledger<Answer>, _ member: ConsumerGroupMember) throws {
        try ThreadGroup().start("watchdog", count: 1, stackBytes: Self.stackBytes) {
            [watchdog, readiness, counters, logger] in
            while true {
                let changes = watchdog.look(
                    at: ledger.progress, isWaiting: Self.isWaiting(readiness, member))
                for stall in changes.stalled {
                    counters.count(\.watermarkStalls)
                    logger.error("a partition's commit watermark stands still", metadata: stall.metadata)
                }
                for stall in changes.ended {
                    logger.notice("a partition's commit watermark stands still no more", metadata: stall.metadata)
                }
                usleep(UInt32(watchdog.interval.nanoseconds / 1000))
            }
        }
    }

    /// Whether no partition can help it that nothing is committed: the worker waits for what it tells of itself, or for its
    /// group to be joined, which may take as long as its slowest member; until then commits are held back.
    static func isWaiting(_ readiness: Readiness, _ member: ConsumerGroupMember) -> Bool {
        member.isJoining || [.kafka, .storage, .breaker, .access].contains { !readiness.holds($0) }
    }

    /// Closes the health port.
    func stop() { port?.server.stop(within: .milliseconds(200)) }
}

extension Watchdog.Stall {
    fileprivate var metadata: Logger.Metadata {
        var metadata: Logger.Metadata = [
            "partition": .string("\(partition)"), "seconds": .number((MonotonicTime.now - since).seconds),
        ]
        if let committed { metadata["committed"] = .integer(Int(committed)) }
        return metadata
    }
}
