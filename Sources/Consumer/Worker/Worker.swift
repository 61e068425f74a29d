import CommandLineOptions
import Foundation
import Inference
import Messaging
import Telemetry

/// Puts the worker together from its options, runs it, and takes it apart again.
///
/// Threads: the main one polls Kafka (`Intake`); `--io-threads` read images (`Fetcher`); `--threads` caption them
/// (`CaptionPool`); one produces answers (`Publisher`); one waits for signals; one looks whether the storage is there
/// (`StorageProbe`); one looks after the others (`Caretaker`). The producer and librdkafka have their own.
struct Worker {
    private static let windowBytes = 64 << 20
    /// Images in memory for each that a thread's micro-batch can hold. One is under way and one follows it; the others make up for reads
    /// that take long.
    private static let imagesAhead = 4
    private static let imageQueueBytes = 64 << 20
    private static let maximumImageBytes = 32 << 20
    private static let poolStackBytes = 8 << 20
    private static let otherStackBytes = 1 << 20

    private let options: ParsedOptions
    private let stop: StopRequest
    private let logger: Logger
    private let kafka: KafkaConfiguration
    private let hooks: TestHooks
    /// Of exactly-once delivery. A random name will do without an instance id: the group's generations fence zombies.
    private let transactionalID: String

    init(_ options: ParsedOptions, stop: StopRequest, logger: Logger, hooks: TestHooks) throws {
        self.options = options
        self.stop = stop
        self.logger = logger
        self.hooks = hooks
        let name = options[WorkerOptions.instanceID] ?? UUID().uuidString
        transactionalID = "kaption-\(options[WorkerOptions.group])-\(name)"
        kafka = try KafkaConfiguration(options, logger: logger)
    }

    /// Runs until the worker is asked to stop.
    func run() throws -> ExitCode {
        let started = MonotonicTime.now
        if !hooks.isEmpty {
            logger.warning("test hooks are set: never use this in production", metadata: ["hooks": .string("\(hooks)")])
        }
        let health = try WorkerHealth(options, logger: logger)
        defer { health.stop() }
        let readiness = health.readiness
        guard let storage = try openStorage(readiness) else { return .done }
        let captioner = try loadModel()
        health.metrics.declare(captioner.identity, threads: threadCount)
        var kafka = kafka
        let setup = KafkaSetup(
            configuration: kafka, rights: rights, partitions: options[WorkerOptions.partitions],
            admin: try KafkaAdmin(kafka), readiness: readiness, stop: stop, logger: logger)
        guard let destination = try setup.prepare() else { return .done }
        if options[WorkerOptions.delivery] == .exactlyOnce, destination.isMock {
            throw WorkerFailure(
                .kafka,
                "--delivery exactly-once needs Apache Kafka: the in-memory broker has no transactions; use at-least-once"
            )
        }
        // Brokers hold a topic's limit against whole batches.
        kafka.set("batch.size", String(destination.batchBytes))
        kafka.set("message.max.bytes", String(min(max(1_000_000, destination.deadLetterBytes), 1_000_000_000)))
        Prefetch(partitions: destination.requestPartitions).apply(to: &kafka)

        let accessWatch = AccessWatch(
            configuration: kafka, rights: rights, readiness: readiness, logger: logger)
        kafka.onRefusal = { error, kind in accessWatch.take(error, of: kind) }

        let counters = health.counters
        let arrivals = try ArrivalSignal()
        let ledger = Ledger<Answer>(
            limits: .init(requests: options[WorkerOptions.window], bytes: Self.windowBytes),
            order: options[WorkerOptions.order], topics: weights, onRoom: { arrivals.notify() },
            messageCount: { $0.messageCount })
        let requests = TimedQueue<Job>(topics: weights)
        let maximumBatch = options[WorkerOptions.maxBatch]
        let images = ImageQueue<FetchedJob>(
            limits: .init(images: Self.imagesAhead * threadCount * maximumBatch, bytes: Self.imageQueueBytes),
            topics: weights, onPlace: { requests.lookAgain() })
        var consuming = kafka
        let traffic = KafkaTraffic(counters: counters, logger: logger)
        consuming.statistics = traffic.take
        let consumer = try KafkaConsumer(
            consuming, groupID: options[WorkerOptions.group], instanceID: options[WorkerOptions.instanceID],
            properties: ["partition.assignment.strategy": options[WorkerOptions.assignment].rawValue],
            arrivals: arrivals)
        let publisher = publisher(kafka, destination, consumer.member, ledger, counters)
        let answers = AnswerMaker(worker: workerID, identity: captioner.identity)
        let desk = AnswerDesk(
            breaker: .init(
                threshold: options[WorkerOptions.breakerThreshold], window: options[WorkerOptions.breakerWindow],
                interval: options[WorkerOptions.breakerInterval]),
            publisher: publisher, requests: requests, ledger: ledger, readiness: readiness)
        let clock = RunningClock()
        let imageTimeout = options[WorkerOptions.imageTimeout]
        let supervisor = ReadSupervisor(
            readers: hooks.hasNullModel ? 0 : options[WorkerOptions.ioThreads], timeout: imageTimeout, clock: clock,
            logger: logger)
        let fetcher = Fetcher(
            storage: storage, supervisor: supervisor, requests: requests, images: images, ledger: ledger, desk: desk,
            answers: answers, retries: RetrySchedule(budget: options[WorkerOptions.retryBudget]),
            maximumImageBytes: Self.maximumImageBytes, counters: counters, hooks: hooks, logger: logger)
        let journal = try openJournal(slots: threadCount * maximumBatch)
        let watch = PoolWatch(
            threads: threadCount, maximumBatch: maximumBatch, imageTimeout: imageTimeout, clock: clock,
            journal: journal)
        let warmUp = WarmUp(threads: threadCount, options: captioner.defaults)
        let pool = CaptionPool(
            captioner: captioner, maximumBatch: maximumBatch,
            limits: ImageLimits(maximumBytes: Self.maximumImageBytes, deadline: imageTimeout), images: images,
            ledger: ledger, desk: desk, answers: answers, warmUp: warmUp, watch: watch, hooks: hooks)
        let kafkaWatch = try health.watchKafka(by: setup.admin)
        health.metrics.declare(ledger, traffic)
        health.metrics.declareQueues(["requests": { requests.count }, "images": { images.waitingCount }])
        let intake = Intake(
            settings: settings(captioner), ledger: ledger, requests: requests, desk: desk, publisher: publisher,
            storage: storage, journal: journal, answers: answers, counters: counters, readiness: readiness,
            kafkaWatch: kafkaWatch, stop: stop, arrivals: arrivals, refusal: setup.refusal, logger: logger)
        let nullModel = NullModel(
            requests: requests, ledger: ledger, publisher: publisher, answers: answers, warmUp: warmUp)

        let threads = ThreadGroup()
        try threads.start("publisher", count: 1, stackBytes: Self.otherStackBytes) { publisher.run() }
        try threads.start("pool", count: threadCount, stackBytes: Self.poolStackBytes) { [hooks] in
            if hooks.hasNullModel { nullModel.run() } else { pool.run() }
        }
        // Not awaited in the end: a call into the storage may hang for as long as it likes.
        let unawaited = ThreadGroup()
        let probe = StorageProbe(
            storage: storage,
            supervisor: ReadSupervisor(readers: 1, timeout: imageTimeout, clock: clock, logger: logger), stop: stop)
        let caretaker = Caretaker(
            clock: clock, storage: storage,
            readers: .init(supervisor: supervisor) {
                try unawaited.start("io", count: 1, stackBytes: Self.otherStackBytes) { fetcher.run() }
            },
            probe: .init(supervisor: probe.supervisor) {
                try unawaited.start("storage", count: 1, stackBytes: Self.otherStackBytes) { probe.run() }
            },
            desk: desk, watch: watch, journal: journal, ledger: ledger, stop: stop, logger: logger)
        try unawaited.start("caretaker", count: 1, stackBytes: Self.otherStackBytes) { caretaker.run() }
        try unawaited.start("access", count: 1, stackBytes: Self.otherStackBytes) { accessWatch.run() }
        consumer.delegate = intake
        try warmUp.wait()
        readiness.meet(.modelWarm)
        try health.watchProgress(of: ledger, consumer.member)
        logReady(captioner, started)
        intake.run(consumer)

        requests.close()
        images.close()
        publisher.close()
        let haveEnded = threads.waitUntilEnded(until: .now + .seconds(3))
        // A thread that is still in an image may have hung there: the next worker should know.
        if haveEnded { journal?.close() }
        return finish(counters, started)
    }

    // MARK: Parts

    /// With a sentinel the storage is waited for; nil when the worker is stopped meanwhile.
    private func openStorage(_ readiness: Readiness) throws -> Storage? {
        let sentinel = options[WorkerOptions.storageSentinel]
        while true {
            do throws(StorageUnavailable) {
                return try Storage(path: options[WorkerOptions.storage], sentinel: sentinel, readiness: readiness)
            } catch {
                guard sentinel != nil, !error.isPermanent else { throw WorkerFailure(.failed, error.description) }
                logger.warning("waiting for the storage", metadata: ["error": .string(error.description)])
                if stop.wait(for: .seconds(1)) { return nil }
            }
        }
    }

    private func openJournal(slots: Int) throws -> CrashJournal? {
        guard let directory = options[WorkerOptions.stateDirectory] else { return nil }
        do throws(JournalUnavailable) {
            let journal = try CrashJournal(directory: directory, slots: slots, logger: logger)
            journal.noteCrashes()
            return journal
        } catch {
            throw WorkerFailure(.failed, error.description)
        }
    }

    private func loadModel() throws -> Captioner {
        do {
            return try Captioner(bundle: options[WorkerOptions.model], precision: options[WorkerOptions.precision])
        } catch {
            throw WorkerFailure(.model, "the model cannot be used: \(error)")
        }
    }

    private func publisher(
        _ kafka: KafkaConfiguration, _ destination: Destination, _ member: ConsumerGroupMember,
        _ ledger: Ledger<Answer>, _ counters: Counters
    ) -> any Publisher {
        let onFailure: @Sendable (WorkerFailure) -> Void = { [stop] failure in stop.request(.failure(failure)) }
        switch options[WorkerOptions.delivery] {
        case .atLeastOnce:
            return AtLeastOncePublisher(
                configuration: kafka, destination: destination, ledger: ledger, counters: counters, logger: logger,
                hooks: hooks, onFailure: onFailure)
        case .exactlyOnce:
            return ExactlyOncePublisher(
                configuration: kafka, destination: destination, member: member,
                settings: .init(
                    transactionalID: transactionalID,
                    interval: options[WorkerOptions.transactionInterval]),
                ledger: ledger, counters: counters, logger: logger, hooks: hooks, onFailure: onFailure)
        }
    }

    private var rights: WorkerRights {
        WorkerRights(
            group: options[WorkerOptions.group], requests: options[WorkerOptions.topics].map(\.name),
            results: options[WorkerOptions.resultsTopic], deadLetters: options[WorkerOptions.deadLettersTopic],
            transactionalID: options[WorkerOptions.delivery] == .exactlyOnce ? transactionalID : nil)
    }

    private func settings(_ captioner: Captioner) -> Intake.Settings {
        var defaults = captioner.defaults
        if let beam = options[WorkerOptions.beam] {
            defaults.beam = beam
            defaults.candidates = min(defaults.candidates, beam)
        }
        return Intake.Settings(
            topics: weights, defaults: defaults, model: captioner.identity,
            revokeTimeout: options[WorkerOptions.revokeTimeout], hooks: hooks)
    }

    private var weights: TopicWeights {
        TopicWeights(options[WorkerOptions.topics].map { ($0.name, $0.weight) })
    }

    private var threadCount: Int {
        options[WorkerOptions.threads] ?? ProcessInfo.processInfo.activeProcessorCount
    }

    /// How results and dead letters name this worker.
    private var workerID: String {
        options[WorkerOptions.instanceID]
            ?? "\(ProcessInfo.processInfo.hostName)-\(ProcessInfo.processInfo.processIdentifier)"
    }

    // MARK: Logs

    private func logReady(_ captioner: Captioner, _ started: MonotonicTime) {
        logger.info(
            "ready",
            metadata: [
                "model": .string("\(captioner.identity.name)@\(captioner.identity.version)"),
                "digest": .string(captioner.identity.digest), "precision": .string(captioner.identity.precision),
                "threads": .integer(threadCount), "io_threads": .integer(options[WorkerOptions.ioThreads]),
                "storage": .string(options[WorkerOptions.storage]), "group": .string(options[WorkerOptions.group]),
                "start_seconds": .number((MonotonicTime.now - started).seconds),
            ])
    }

    private func finish(_ counters: Counters, _ started: MonotonicTime) -> ExitCode {
        var metadata = counters.current.metadata
        metadata["seconds"] = .number((MonotonicTime.now - started).seconds)
        switch stop.reason {
        case .failure(let failure):
            logger.critical("\(failure)", metadata: metadata)
            return failure.exitCode
        case .signal(let number):
            metadata["signal"] = .integer(Int(number))
            logger.info("stopped", metadata: metadata)
        case nil:
            logger.info("stopped", metadata: metadata)
        }
        return .done
    }
}
