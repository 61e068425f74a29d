import Messaging
import Telemetry

/// The exactly-once publisher's work with its producer: makes it, brings transactions to their end, and replaces it when it
/// is beyond use. Belongs to the publisher's thread.
struct TransactionSession {
    private let publisher: ExactlyOncePublisher
    private var producer: KafkaProducer?
    private var renewals = RenewalLimit()
    private var committed = 0
    private var hasBeenFailed = false
    private var hasStarted = false

    /// Why a transaction cannot be committed now, though nothing failed.
    private enum NotNow: String, Error, CustomStringConvertible {
        case noMembership = "this worker is not in its group at the moment"
        case assignmentEnded = "a partition went to another worker"

        var description: String { rawValue }
    }

    init(publisher: ExactlyOncePublisher) { self.publisher = publisher }

    /// Makes the producer and waits until Kafka knows it.
    /// - Throws: `WorkerFailure` if Kafka refuses it, `CancellationError` when the publisher is closed meanwhile.
    mutating func start() throws {
        while true {
            do {
                let producer = try publisher.makeProducer()
                self.producer = producer
                try repeating("reach the transaction coordinator") {
                    try producer.initializeTransactions(timeout: .seconds(5))
                }
                publisher.learnPartitions(by: producer)
                hasStarted = true
                return
            } catch let error as KafkaError {
                if error.isRefusal, !hasStarted {
                    throw WorkerFailure(.kafka, "Kafka refuses this worker's transactions: \(error)")
                }
                try discard(because: error)
                // In mid-run an ACL that is taken away is waited for like an outage.
                if error.isRefusal, publisher.isClosed(after: .seconds(5)) { throw CancellationError() }
            }
        }
    }

    /// Commits the answers of standing assignments with their offsets, however often it takes.
    mutating func deliver(_ entries: [ExactlyOncePublisher.Entry]) throws {
        var left = entries
        var most = left.count
        var pause = Duration.milliseconds(20)
        while true {
            left.removeAll { !publisher.ledger.isCurrent($0.place) }
            guard !left.isEmpty, let producer else { return }
            // Out of the group: either it is joined again, or the assignments end.
            if publisher.member.metadata() == nil {
                if publisher.isClosed(after: .milliseconds(50)) { throw CancellationError() }
                continue
            }
            do {
                let first = Array(left.prefix(most))
                let offsets = try transact(first, by: producer)
                publisher.ledger.complete(first.map(\.place), committed: offsets)
                publisher.forgetSizes(of: first)
                committed += first.count
                left.removeFirst(first.count)
                publisher.counters.count(\.transactionsCommitted)
            } catch let error where error is KafkaError || error is NotNow {
                publisher.counters.count(\.transactionsAborted)
                log("a transaction was not committed; its answers are produced again", error)
                // Brokers limit the size of a batch, which fewer answers make smaller.
                if (error as? KafkaError)?.isTooLarge == true { most = max(1, most / 2) }
                if try !abort(producer, after: error) {
                    try discard(because: error)
                    try start()
                    left = try without(committed: left)
                }
                if publisher.isClosed(after: pause) { throw CancellationError() }
                pause = min(pause * 2, .seconds(1))
            }
        }
    }

    /// Provokes a fatal error once so many answers have been committed (`TestHooks`).
    mutating func failAfter(_ answers: Int?) {
        guard let answers, committed >= answers, !hasBeenFailed else { return }
        hasBeenFailed = true
        producer?.failForTesting()
    }

    /// Lets go of the producer. An open transaction is ended by the brokers, after its timeout.
    mutating func end() {
        producer?.close(deadline: .seconds(1))
        producer = nil
    }

    // MARK: One transaction

    private func transact(
        _ entries: [ExactlyOncePublisher.Entry], by producer: KafkaProducer
    ) throws -> [TopicPartitionOffset] {
        let places = entries.map(\.place)
        let offsets = entries.nextOffsets
        try producer.beginTransaction()
        for entry in entries { try publisher.produce(entry, by: producer) }
        try repeating("send offsets to the transaction") {
            // In this order: see `ExactlyOncePublisher`.
            guard let metadata = publisher.member.metadata() else { throw NotNow.noMembership }
            guard publisher.ledger.areCurrent(places) else { throw NotNow.assignmentEnded }
            try producer.sendOffsets(offsets, of: metadata, timeout: .seconds(5))
        }
        try repeating("commit the transaction") { try producer.commitTransaction() }
        return offsets
    }

    /// Whether the producer can go on.
    private func abort(_ producer: KafkaProducer, after error: any Error) throws -> Bool {
        if producer.fatalError != nil { return false }
        if let error = error as? KafkaError, error.isFatal { return false }
        do {
            try repeating("abort the transaction") { try producer.abortTransaction() }
            return true
        } catch let error as KafkaError {
            log("a transaction could not be aborted", error)
            return false
        }
    }

    /// Calls again for as long as the error says that it may help.
    private func repeating(_ what: String, _ call: () throws -> Void) throws {
        while true {
            do {
                return try call()
            } catch let error as KafkaError where error.isRetriable && !error.isFatal {
                log("cannot \(what) yet", error)
                if publisher.isClosed(after: .milliseconds(100)) { throw CancellationError() }
            }
        }
    }

    // MARK: A producer that failed for good

    private mutating func discard(because error: any Error) throws {
        let isRefused = (error as? KafkaError)?.isRefusal == true
        guard isRefused || renewals.admit(at: .now) else {
            throw WorkerFailure(.failed, "one transactional producer after another fails: \(error)")
        }
        publisher.counters.count(\.producersRenewed)
        publisher.logger.error(
            "the transactional producer failed and is made anew", metadata: ["error": .string("\(error)")])
        producer?.close(deadline: .zero)
        producer = nil
    }

    /// A commit whose answer was lost with the old producer may have come to pass. The new one's start has waited for the end
    /// of that transaction, so what the group has committed now tells which answers are out.
    private func without(
        committed entries: [ExactlyOncePublisher.Entry]
    ) throws -> [ExactlyOncePublisher.Entry] {
        let standing = entries.filter { publisher.ledger.isCurrent($0.place) }
        let partitions = Array(Set(standing.map(\.answer.message.topicPartition)))
        if partitions.isEmpty { return [] }
        var committed: [TopicPartition: Int64] = [:]
        try repeating("ask for committed offsets") {
            for item in try publisher.member.committedOffsets(of: partitions, timeout: .seconds(5)) {
                committed[item.partition] = item.offset
            }
        }
        let (out, left) = standing.divided {
            $0.answer.message.offset < committed[$0.answer.message.topicPartition] ?? 0
        }
        publisher.ledger.complete(out.map(\.place), committed: out.nextOffsets)
        return left
    }

    private func log(_ what: String, _ error: any Error) {
        let name = (error as? KafkaError)?.name ?? "\(error)"
        guard let suppressed = publisher.limiter.admit("\(what) \(name)") else { return }
        publisher.logger.warning(
            "\(what)", metadata: ["error": .string("\(error)"), "suppressed": .integer(suppressed)])
    }
}

extension [ExactlyOncePublisher.Entry] {
    /// What to commit with these answers: they are the next of their partitions, without a gap.
    fileprivate var nextOffsets: [TopicPartitionOffset] {
        var highest: [TopicPartition: Int64] = [:]
        for entry in self {
            let message = entry.answer.message
            highest[message.topicPartition] = Swift.max(highest[message.topicPartition] ?? 0, message.offset + 1)
        }
        return highest.map { TopicPartitionOffset($0.key, offset: $0.value) }
    }

    fileprivate func divided(_ isFirst: (Element) -> Bool) -> (Self, Self) {
        (filter(isFirst), filter { !isFirst($0) })
    }
}
