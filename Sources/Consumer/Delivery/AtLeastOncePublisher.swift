import Messaging
import Synchronization
import Telemetry

/// Delivery at least once: answers are produced as they come, each until it is acknowledged; the poll thread commits behind
/// them. A crash between the two repeats answers, with the same `ce_id`.
///
/// When the producer's queue is full, the publisher's thread waits, and nobody else. The producer's thread reports
/// deliveries to the ledger.
final class AtLeastOncePublisher: Publisher {
    private enum Work: Sendable {
        case answer(Answer, Place)
        /// One message that could not be delivered, to be produced again; reduced if Kafka will never take it as it is.
        case again(DeliveryToken, isReduced: Bool)
        /// The producer of this generation is beyond use.
        case renewProducer(generation: Int)
    }

    let commitsOffsets = false
    private let configuration: KafkaConfiguration
    private let destination: Destination
    private let ledger: Ledger<Answer>
    private let counters: Counters
    private let logger: Logger
    private let limiter = LogLimiter(interval: .seconds(10))
    private let hooks: TestHooks
    private let onFailure: @Sendable (WorkerFailure) -> Void
    private let work = TimedQueue<Work>()
    /// Counts batches of delivery reports: what a full producer's queue is waited on.
    private let deliveries = Monitor(0)
    /// Messages that were reported delivered in the batch of reports at hand.
    private let delivered = Mutex<[DeliveryToken]>([])
    /// Of the producer in use: late reports of one before it count for nothing, since all that it had is produced again.
    private let generation = Atomic(0)

    /// - Parameter onFailure: told once when no producer can be had, or each new one fails: the worker must end.
    init(
        configuration: KafkaConfiguration, destination: Destination, ledger: Ledger<Answer>, counters: Counters,
        logger: Logger, hooks: TestHooks, onFailure: @escaping @Sendable (WorkerFailure) -> Void
    ) {
        self.configuration = configuration
        self.destination = destination
        self.ledger = ledger
        self.counters = counters
        self.logger = logger
        self.hooks = hooks
        self.onFailure = onFailure
    }

    func submit(_ answer: Answer, at place: Place) { work.put(.answer(answer, place)) }

    func close() { work.close() }

    func run() {
        var renewals = RenewalLimit()
        var nextTry = MonotonicTime.now
        guard var producer = makeProducer(generation: 0) else { return }
        producer.learnPartitions(of: destination.results, timeout: .seconds(1))
        var answers = 0
        while let batch = work.take(maximum: 256) {
            var arrived: [(place: Place, answer: Answer)] = []
            var others: [Work] = []
            arrived.reserveCapacity(batch.count)
            for next in batch {
                if case .answer(let answer, let place) = next {
                    arrived.append((place, answer))
                } else {
                    others.append(next)
                }
            }
            for (place, answer) in ledger.finish(arrived) {
                counters.countAnswer(answer)
                produce(answer, at: place, by: producer)
                answers += 1
                if answers == hooks.failProducerAfter { producer.failForTesting() }
            }
            for next in others {
                switch next {
                case .answer: break
                case .again(let token, let isReduced):
                    guard let answer = ledger.unacknowledgedAnswer(at: token.place) else { continue }
                    produce(token.kind, of: answer, at: token.place, by: producer, isReduced: isReduced)
                case .renewProducer(let failed):
                    guard failed == generation.load(ordering: .relaxed) else { continue }
                    guard renew(&producer, generation: failed, renewals: &renewals, nextTry: &nextTry) else { return }
                }
            }
        }
        producer.close(deadline: .seconds(1))
    }

    /// Replaces a producer that is beyond use, and has the new one produce all that it had not delivered.
    /// - Parameter nextTry: when a producer that Kafka refuses may be replaced at the earliest.
    /// - Returns: false if none is to be had: `onFailure` has been told.
    private func renew(
        _ producer: inout KafkaProducer, generation failed: Int, renewals: inout RenewalLimit,
        nextTry: inout MonotonicTime
    ) -> Bool {
        if producer.fatalError?.isRefusal == true {
            // A producer can be beyond use for want of an ACL: then a new one is tried until it is there.
            if MonotonicTime.now < nextTry {
                work.put(.renewProducer(generation: failed), at: nextTry)
                return true
            }
            nextTry = .now + .seconds(5)
        } else if !renewals.admit(at: .now) {
            let reason = String(describing: producer.fatalError)
            onFailure(.init(.failed, "one producer after another fails: \(reason)"))
            return false
        }
        counters.count(\.producersRenewed)
        generation.store(failed + 1, ordering: .relaxed)
        producer.close(deadline: .zero)
        guard let renewed = makeProducer(generation: failed + 1) else { return false }
        producer = renewed
        for (place, answer) in ledger.allUnacknowledged() { produce(answer, at: place, by: producer) }
        return true
    }

    private func makeProducer(generation: Int) -> KafkaProducer? {
        do {
            return try KafkaProducer(
                configuration, properties: ["message.timeout.ms": "0"],
                onError: { [self] error in failed(error, generation: generation) },
                onBatchEnd: { [self] in acknowledge() },
                onDelivery: { [self] report in delivered(report, generation: generation) })
        } catch {
            onFailure(.init(.failed, "cannot make a Kafka producer: \(error)"))
            return nil
        }
    }

    private func produce(_ answer: Answer, at place: Place, by producer: KafkaProducer) {
        for kind in answer.kinds { produce(kind, of: answer, at: place, by: producer) }
    }

    /// Produces one message, waiting while the producer's queue is full.
    private func produce(
        _ kind: DeliveryToken.Kind, of answer: Answer, at place: Place, by producer: KafkaProducer,
        isReduced: Bool = false
    ) {
        let token = DeliveryToken(place, kind)
        var isReduced = isReduced
        while true {
            let before = deliveries.withLock { $0 }
            do {
                return try answer.produce(token, to: destination, by: producer, isReduced: isReduced)
            } catch let error as KafkaError where error.category == .queueFull {
                _ = deliveries.wait(until: .now + .milliseconds(100)) { $0 != before }
            } catch let error as KafkaError where error.isTooLarge && !isReduced {
                // At once, so that it does not leave behind those that come after it.
                isReduced = true
            } catch {
                return undelivered(token, error as? KafkaError)
            }
        }
    }

    // MARK: On the producer's thread

    private func delivered(_ report: DeliveryReport, generation: Int) {
        guard generation == self.generation.load(ordering: .relaxed) else { return }
        let token = DeliveryToken(rawValue: report.token)
        if let error = report.error {
            // Purged: the producer is being renewed, and all that it had is produced again.
            if error.name.hasPrefix("_PURGE") { return }
            if error.isFatal || error.name == "_FATAL" {
                work.put(.renewProducer(generation: generation))
            } else {
                undelivered(token, error)
            }
        } else {
            delivered.withLock { $0.append(token) }
        }
    }

    private func acknowledge() {
        let messages = delivered.withLock { messages in
            defer { messages.removeAll(keepingCapacity: true) }
            return messages
        }
        ledger.acknowledge(messages)
        deliveries.update { $0 += 1 }
    }

    private func failed(_ error: KafkaError, generation: Int) {
        if error.isFatal {
            logger.error("the Kafka producer failed and is made anew", metadata: ["error": .string("\(error)")])
            work.put(.renewProducer(generation: generation))
        } else if let suppressed = limiter.admit(error.name) {
            logger.warning(
                "Kafka producer", metadata: ["error": .string("\(error)"), "suppressed": .integer(suppressed)])
        }
    }

    /// A message was refused: it is reduced if it is too large, and else tried again, for as long as it takes.
    private func undelivered(_ token: DeliveryToken, _ error: KafkaError?) {
        let name = error?.name ?? "unknown"
        if let suppressed = limiter.admit("undelivered \(name)") {
            logger.warning(
                "an answer was not taken by Kafka and is produced again",
                metadata: [
                    "kind": .string("\(token.kind)"), "error": .string(error.map { "\($0)" } ?? name),
                    "suppressed": .integer(suppressed),
                ])
        }
        let isTooLarge = error?.isTooLarge ?? false
        work.put(.again(token, isReduced: isTooLarge), at: .now + .milliseconds(isTooLarge ? 10 : 1000))
    }
}
