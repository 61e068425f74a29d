import CommandLineOptions
import Messaging
import Synchronization
import Telemetry

/// Delivery exactly once: every so often, what the ledger has released goes to Kafka in one transaction with the offsets of
/// its requests. For a `read_committed` reader each answer is there once, whatever dies when.
///
/// Answers are gathered first and produced when the transaction begins, so that a transaction is short and a worker that is
/// killed seldom leaves one open. They stay in memory until it is committed: after an abort the same answers are produced
/// again, nothing is computed again, and nothing is sought.
///
/// What keeps a partition that goes away in mid-transaction from being answered twice: the group's metadata is taken first,
/// the assignments of all answers are looked at after that, and the offsets are sent with that metadata. An assignment that
/// ends later belongs to a later generation of the group, and brokers refuse offsets of an earlier one; the answer to a
/// revoke, which lets the next generation begin, comes after its assignments have ended here.
final class ExactlyOncePublisher: Publisher {
    struct Settings: Sendable {
        /// Names the producer to the brokers: a new one of the same name fences the one before. It stays for the process's
        /// life, so that a producer made anew ends its predecessor's transaction.
        var transactionalID: String
        /// From the begin of one transaction to that of the next, at least, unless there are `maximumAnswers`.
        var interval: Duration
        var maximumAnswers = 128
    }

    typealias Entry = (place: Place, answer: Answer)

    let commitsOffsets = true
    let counters: Counters
    let logger: Logger
    let limiter = LogLimiter(interval: .seconds(10))
    let member: ConsumerGroupMember
    let settings: Settings
    let ledger: Ledger<Answer>
    private let configuration: KafkaConfiguration
    private let destination: Destination
    private let hooks: TestHooks
    private let onFailure: @Sendable (WorkerFailure) -> Void
    private let inbox = Inbox<(Answer, Place)>()
    /// Counts delivery reports: what a full producer's queue is waited on.
    private let deliveries = Monitor(0)
    /// Messages that were refused for their size.
    private let tooLarge = Mutex<Set<UInt64>>([])

    /// - Parameter onFailure: told once when no producer can be had, or each new one fails: the worker must end.
    init(
        configuration: KafkaConfiguration, destination: Destination, member: ConsumerGroupMember, settings: Settings,
        ledger: Ledger<Answer>, counters: Counters, logger: Logger,
        hooks: TestHooks, onFailure: @escaping @Sendable (WorkerFailure) -> Void
    ) {
        self.configuration = configuration
        self.destination = destination
        self.member = member
        self.settings = settings
        self.ledger = ledger
        self.counters = counters
        self.logger = logger
        self.hooks = hooks
        self.onFailure = onFailure
    }

    func submit(_ answer: Answer, at place: Place) { inbox.put((answer, place)) }

    func close() { inbox.close() }

    var isClosed: Bool { inbox.isClosed }

    /// Whether the publisher was closed within so short a time, for pauses between two attempts.
    func isClosed(after pause: Duration) -> Bool { inbox.waitUntilClosed(until: .now + pause) }

    func run() {
        var session = TransactionSession(publisher: self)
        do {
            try session.start()
            var released: [Entry] = []
            var due = MonotonicTime.now
            while let arrived = inbox.takeAll(until: released.isEmpty ? nil : due) {
                for (answer, place) in arrived { released += ledger.finish(place, with: answer) }
                if released.isEmpty || released.count < settings.maximumAnswers && MonotonicTime.now < due { continue }
                due = .now + settings.interval
                for (_, answer) in released { counters.countAnswer(answer) }
                session.failAfter(hooks.failProducerAfter)
                try session.deliver(released)
                released = []
            }
        } catch let failure as WorkerFailure {
            onFailure(failure)
        } catch {
            // `CancellationError`: the publisher was closed in mid-work.
        }
        session.end()
    }

    func makeProducer() throws -> KafkaProducer {
        try KafkaProducer(
            configuration,
            properties: ["transactional.id": settings.transactionalID, "transaction.timeout.ms": "10000"],
            onError: { [self] error in failed(error) }, onDelivery: { [self] report in delivered(report) })
    }

    func learnPartitions(by producer: KafkaProducer) {
        producer.learnPartitions(of: destination.results, timeout: .seconds(1))
    }

    /// Produces one answer's messages, waiting while the producer's queue is full.
    func produce(_ entry: Entry, by producer: KafkaProducer) throws {
        for kind in entry.answer.kinds {
            let token = DeliveryToken(entry.place, kind)
            var isReduced = tooLarge.withLock { $0.contains(token.rawValue) }
            while true {
                let before = deliveries.withLock { $0 }
                do {
                    try entry.answer.produce(token, to: destination, by: producer, isReduced: isReduced)
                    break
                } catch let error as KafkaError where error.category == .queueFull {
                    _ = deliveries.wait(until: .now + .milliseconds(100)) { $0 != before }
                } catch let error as KafkaError where error.isTooLarge && !isReduced {
                    isReduced = true
                }
                if isClosed { throw CancellationError() }
            }
        }
    }

    func forgetSizes(of entries: [Entry]) {
        tooLarge.withLock { refused in
            if refused.isEmpty { return }
            for entry in entries {
                for kind in entry.answer.kinds { refused.remove(DeliveryToken(entry.place, kind).rawValue) }
            }
        }
    }

    // MARK: On the producer's thread

    /// A report of failure fails the transaction too, which tells the publisher's thread; only a size must be remembered.
    private func delivered(_ report: DeliveryReport) {
        if let error = report.error, error.isTooLarge { _ = tooLarge.withLock { $0.insert(report.token) } }
        deliveries.update { $0 += 1 }
    }

    private func failed(_ error: KafkaError) {
        if let suppressed = limiter.admit(error.name) {
            logger.warning(
                "Kafka producer", metadata: ["error": .string("\(error)"), "suppressed": .integer(suppressed)])
        }
    }
}
