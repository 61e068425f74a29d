import CommandLineOptions
import Inference
import Messaging
import Telemetry

/// The poll thread: owns the Kafka consumer, takes records for which there is a place, commits, and answers rebalances.
/// It never waits for work, but at a revoke, as long as `revokeTimeout`, because the group waits for the answer. Records
/// without a place stay in librdkafka's queues, one a partition, while polling goes on.
final class Intake {
    struct Settings: Sendable {
        var topics: TopicWeights
        var limits = RequestLimits()
        var defaults: CaptionOptions
        var model: ModelIdentity
        var revokeTimeout: Duration
        /// Records taken from one partition before the others are looked at.
        var burst = 64
        var commitInterval = Duration.seconds(1)
        var progressInterval = Duration.seconds(30)
        static let drainTimeout = Duration.seconds(20)
        /// How long draining goes on without anything coming to its end while the storage is away or the breaker open.
        var drainPatience = Duration.seconds(2)
        static let closeTimeout = Duration.seconds(5)
        /// From the first signal to the process's end, whatever it is at.
        static let lastDeadline = drainTimeout + closeTimeout + closeTimeout + .seconds(5)
        var hooks = TestHooks()
    }

    let settings: Settings
    let ledger: Ledger<Answer>
    let requests: TimedQueue<Job>
    let desk: AnswerDesk
    let publisher: any Publisher
    let storage: Storage
    let journal: CrashJournal?
    let answers: AnswerMaker
    let counters: Counters
    let readiness: Readiness
    let kafkaWatch: KafkaWatch
    let stop: StopRequest
    /// How the worker ends when Kafka refuses it at the start; nil for an error that is no refusal.
    let refusal: (KafkaError) -> WorkerFailure?
    let arrivals: ArrivalSignal
    let logger: Logger
    let limiter = LogLimiter(interval: .seconds(10))
    /// Partitions that stand still because their position is unknown or out of range, and when to see to them.
    var positionless: [TopicPartition: MonotonicTime] = [:]
    /// What was expected in partitions that retention has overtaken, until the loss is counted.
    var losses: [TopicPartition: Int64] = [:]
    var rotation: PartitionRotation
    private var wasAssigned = false
    private var nextCommit = MonotonicTime.now
    private var progress: Progress

    init(
        settings: Settings, ledger: Ledger<Answer>, requests: TimedQueue<Job>, desk: AnswerDesk,
        publisher: any Publisher, storage: Storage, journal: CrashJournal?, answers: AnswerMaker, counters: Counters,
        readiness: Readiness, kafkaWatch: KafkaWatch, stop: StopRequest, arrivals: ArrivalSignal,
        refusal: @escaping (KafkaError) -> WorkerFailure?, logger: Logger
    ) {
        self.settings = settings
        self.ledger = ledger
        self.requests = requests
        self.desk = desk
        self.publisher = publisher
        self.storage = storage
        self.journal = journal
        self.answers = answers
        self.counters = counters
        self.readiness = readiness
        self.kafkaWatch = kafkaWatch
        self.stop = stop
        self.refusal = refusal
        self.arrivals = arrivals
        self.logger = logger
        rotation = PartitionRotation(settings.topics)
        progress = Progress(interval: settings.progressInterval, counters: counters)
    }

    /// Works until the worker is to stop, then drains and leaves the group.
    func run(_ consumer: KafkaConsumer) {
        do {
            try consumer.subscribe(settings.topics.names)
        } catch {
            stop.request(.failure(.init(.kafka, "cannot subscribe to \(settings.topics.names): \(error)")))
        }
        while !stop.isRequested {
            step(consumer)
            if takeRecords(from: consumer) == 0 { arrivals.wait(milliseconds: ledger.isShort ? 10 : 100) }
        }
        drain(consumer)
    }

    /// Everything but records.
    private func step(_ consumer: KafkaConsumer) {
        settings.hooks.beginPoll()
        while let event = consumer.poll(timeoutMilliseconds: 0) {
            if case .error(let error) = event { take(error) }
        }
        let now = MonotonicTime.now
        // One at a time: each asks the brokers, which may be away, and the group must be polled in between.
        if let (partition, _) = positionless.first(where: { $0.value <= now }) { position(partition, of: consumer) }
        if now >= nextCommit {
            nextCommit = now + settings.commitInterval
            commit(consumer)
        }
        progress.logIfDue(now, logger: logger, inWindow: ledger.occupancy.requests)
    }

    // MARK: Records

    /// Takes what there is room for, of each partition; how much that was.
    private func takeRecords(from consumer: KafkaConsumer) -> Int {
        rotation.nextRound().reduce(0) { $0 + takeRecords(of: $1.partition, topic: $1.topic, from: consumer) }
    }

    private func takeRecords(of partition: TopicPartition, topic: Int, from consumer: KafkaConsumer) -> Int {
        var room = ledger.room(for: partition)
        room.requests = min(room.requests, settings.burst)
        if room.requests <= 0 || room.bytes <= 0 { return 0 }
        var received: [ReceivedRequest] = []
        var records: [(offset: Int64, bytes: Int)] = []
        var count = 0
        consumer.take(from: partition) { event in
            count += 1
            switch consume event {
            case .message(let message):
                if records.isEmpty {
                    received.reserveCapacity(room.requests)
                    records.reserveCapacity(room.requests)
                }
                let record = (offset: message.offset, bytes: message.byteCount)
                room.bytes -= record.bytes
                records.append(record)
                received.append(ReceivedRequest(message, limits: settings.limits))
            case .error(let error): take(error)
            case .partitionEnd: break
            }
            return count < room.requests && room.bytes > 0
        }
        if !records.isEmpty { take(received, at: records, of: partition, topic: topic) }
        return count
    }

    private func take(
        _ received: [ReceivedRequest], at records: [(offset: Int64, bytes: Int)], of partition: TopicPartition,
        topic: Int
    ) {
        let places = ledger.admit(partition, records)
        let arrival = MonotonicTime.now
        var taken = Counters.Taken()
        var jobs: [Job] = []
        jobs.reserveCapacity(received.count)
        for (index, place) in places.enumerated() {
            guard let place else {
                taken.repeats += 1
                continue
            }
            taken.requests += 1
            taken.bytes += records[index].bytes
            if let job = job(for: received[index], at: place, topic: topic, arrival) { jobs.append(job) }
        }
        requests.put(contentsOf: jobs, topic: topic)
        counters.count(taken)
    }

    /// Nil if there is nothing to do: the request is wrong, and answered already.
    private func job(for received: ReceivedRequest, at place: Place, topic: Int, _ arrival: MonotonicTime) -> Job? {
        do throws(RequestFailure) {
            if let failure = received.failure { throw failure }
            var job = Job(
                place: place, topic: topic, received: received, options: try options(for: received.request),
                arrival: arrival)
            switch journal?.suspicion(of: received.message) {
            case .condemned(let failure): throw failure
            case .runsAlone: job.runsAlone = true
            case nil: break
            }
            return job
        } catch {
            desk.submit(answers.failure(error, of: received), at: place)
            return nil
        }
    }

    /// The request's options over the defaults, within the limits.
    private func options(for request: CaptionRequest) throws(RequestFailure) -> CaptionOptions {
        if let model = request.model, model != settings.model.name,
            model != "\(settings.model.name)@\(settings.model.version)"
        {
            throw RequestFailure(
                .modelUnknown, "this worker has the model \(settings.model.name)@\(settings.model.version) only")
        }
        var options = settings.defaults
        options.beam = request.beam ?? options.beam
        options.candidates = request.candidates ?? min(options.candidates, options.beam)
        options.maxWords = request.maxWords ?? options.maxWords
        guard (1...settings.limits.maximumBeam).contains(options.beam),
            (1...settings.limits.maximumWords).contains(options.maxWords), options.candidates >= 1
        else { throw RequestFailure(.optionOutOfRange, "beam, candidates or max_words is out of range") }
        guard options.candidates <= options.beam else {
            throw RequestFailure(
                .optionOutOfRange,
                "\(options.candidates) candidates need a beam of at least as many, not \(options.beam)")
        }
        return options
    }

    // MARK: Errors

    private func take(_ error: KafkaError) {
        if error.name == "_AUTO_OFFSET_RESET", let partition = error.partition {
            positionless[partition] = .now
        } else if error.isFatal {
            stop.request(.failure(.init(.failed, "the Kafka consumer failed: \(error)")))
        } else if error.category == .unreachable {
            kafkaWatch.suspect()
            logger.debug("Kafka consumer", metadata: ["error": .string("\(error)")])
        } else if !wasAssigned, let failure = refusal(error) {
            stop.request(.failure(failure))
        } else if let suppressed = limiter.admit(error.name) {
            logger.warning(
                "Kafka consumer", metadata: ["error": .string("\(error)"), "suppressed": .integer(suppressed)])
        }
    }

    // MARK: Commits

    private func commit(_ consumer: KafkaConsumer) {
        if publisher.commitsOffsets || consumer.isJoining { return }
        let offsets = ledger.offsetsToCommit()
        do {
            try consumer.commitAsync(offsets)
        } catch {
            commitFailed(offsets, error)
        }
    }

    func commitFailed(_ offsets: [TopicPartitionOffset], _ error: any Error) {
        ledger.commitEnded(offsets, succeeded: false)
        counters.count(\.commitFailures)
        if let suppressed = limiter.admit("commit") {
            logger.warning(
                "a commit failed and will be sent again",
                metadata: ["error": .string("\(error)"), "suppressed": .integer(suppressed)])
        }
    }

    // MARK: The end

    /// Takes no more records, lets what was taken come to its end within a deadline, commits and leaves the group.
    private func drain(_ consumer: KafkaConsumer) {
        readiness.miss(.groupJoined, because: "the worker is stopping")
        var deadline = MonotonicTime.now
        // After a failure nothing can be brought to its end.
        if case .signal = stop.reason { deadline = deadline + Settings.drainTimeout }
        if case .failure = stop.reason { LastDeadline.set(after: Settings.lastDeadline, logger: logger) }
        logger.info("draining", metadata: ["requests": .integer(ledger.occupancy.requests)])
        var last = (requests: ledger.occupancy.requests, time: MonotonicTime.now)
        while ledger.occupancy.requests > 0, MonotonicTime.now < deadline {
            step(consumer)
            arrivals.wait(milliseconds: 10)
            if ledger.occupancy.requests != last.requests { last = (ledger.occupancy.requests, .now) }
            // What waits for the storage or the breaker may wait for ever: another worker will see to it.
            let isWaiting = !storage.isAvailable || desk.isOpen
            if isWaiting, MonotonicTime.now - last.time > settings.drainPatience { break }
        }
        let left = ledger.occupancy.requests
        if left > 0 {
            logger.warning(
                "not all could be finished; what is left will be done by another worker",
                metadata: ["requests": .integer(left)])
        }
        if case .signal = stop.reason { awaitJoin(consumer) }
        if !consumer.close(deadline: Settings.closeTimeout) {
            logger.warning("the group was not left in time; it finds out by session.timeout.ms")
        }
    }

    /// The group is not left in the middle of a join: librdkafka 2.0.2 can hang when it is closed while an assignment comes,
    /// and the commit that leaving brings would wait behind the join and be refused.
    private func awaitJoin(_ consumer: KafkaConsumer) {
        let deadline = MonotonicTime.now + Settings.closeTimeout
        while consumer.isJoining, MonotonicTime.now < deadline {
            step(consumer)
            arrivals.wait(milliseconds: 10)
        }
    }

    func noteAssigned() {
        wasAssigned = true
        counters.count(\.assigned)
        if !stop.isRequested { readiness.meet(.groupJoined) }
    }
}

/// The line that says, from time to time, how far the worker is.
struct Progress {
    private let interval: Duration
    private let counters: Counters
    private var last: (time: MonotonicTime, counts: Counters.Counts)

    init(interval: Duration, counters: Counters) {
        self.interval = interval
        self.counters = counters
        last = (.now, counters.current)
    }

    /// Logs if it is time, unless nothing has happened and nothing is under way.
    mutating func logIfDue(_ now: MonotonicTime, logger: Logger, inWindow: Int) {
        guard now - last.time >= interval else { return }
        let counts = counters.current
        if counts != last.counts || inWindow > 0 {
            let answered = counts.captioned + counts.failed - last.counts.captioned - last.counts.failed
            var metadata = counts.metadata
            metadata["in_window"] = .integer(inWindow)
            metadata["per_second"] = .number((Double(answered) / (now - last.time).seconds * 10).rounded() / 10)
            logger.info("progress", metadata: metadata)
        }
        last = (now, counts)
    }
}

extension Duration {
    var seconds: Double { Double(nanoseconds) / 1e9 }
}
