import Messaging
import Synchronization
import Telemetry

/// Produces answers: in order within their partition, and until they are safe in Kafka.
///
/// Any thread submits and never waits. One thread of its own (`run`) owns the producer, takes answers into the ledger and
/// produces those that may leave; when the producer's queue is full, that thread waits, and nobody else. The producer's
/// thread reports deliveries to the ledger, which frees the places.
final class Publisher: Sendable {
    struct Destination: Sendable {
        var results: String
        var deadLetters: String
        /// Of the dead-letters topic.
        var deadLetterBytes: Int
        var clusterID: String
    }

    private enum Work: Sendable {
        case answer(Answer, Place)
        /// One message that could not be delivered, to be produced again.
        case again(DeliveryToken)
        /// Kafka will never take the answer as it is.
        case tooLarge(DeliveryToken)
        /// The producer of this generation is beyond use.
        case renewProducer(generation: Int)
    }

    private let configuration: KafkaConfiguration
    private let destination: Destination
    private let ledger: Ledger<Answer>
    private let counters: Counters
    private let logger: Logger
    private let limiter = LogLimiter(interval: .seconds(10))
    private let onFailure: @Sendable (WorkerFailure) -> Void
    private let work = TimedQueue<Work>()
    /// Counts delivery reports: what a full producer's queue is waited on.
    private let deliveries = Monitor(0)

    /// - Parameter onFailure: told once when no producer can be had, or each new one fails: the worker must end.
    init(
        configuration: KafkaConfiguration, destination: Destination, ledger: Ledger<Answer>, counters: Counters,
        logger: Logger, onFailure: @escaping @Sendable (WorkerFailure) -> Void
    ) {
        self.configuration = configuration
        self.destination = destination
        self.ledger = ledger
        self.counters = counters
        self.logger = logger
        self.onFailure = onFailure
    }

    func submit(_ answer: Answer, at place: Place) { work.put(.answer(answer, place)) }

    /// Ends `run`; what is not produced yet is dropped.
    func close() { work.close() }

    /// Works until `close`.
    func run() {
        var generation = 0
        var lastRenewal = MonotonicTime.now
        guard var producer = makeProducer(generation: generation) else { return }
        while let next = work.take() {
            switch next {
            case .answer(let answer, let place):
                for (place, answer) in ledger.finish(place, with: answer) {
                    counters.countAnswer(answer)
                    produce(answer, at: place, by: producer)
                }
            case .again(let token):
                guard let answer = ledger.unacknowledgedAnswer(at: token.place) else { continue }
                produce(token.kind, of: answer, at: token.place, by: producer)
            case .tooLarge(let token):
                guard let answer = ledger.unacknowledgedAnswer(at: token.place) else { continue }
                produce(token.kind, of: answer, at: token.place, by: producer, reduced: true)
            case .renewProducer(let failed):
                guard failed == generation else { continue }
                if generation > 0, MonotonicTime.now - lastRenewal < .seconds(10) {
                    onFailure(
                        .init(.failed, "each new producer fails at once: \(String(describing: producer.fatalError))"))
                    return
                }
                lastRenewal = .now
                generation += 1
                producer.close(deadline: .zero)
                guard let renewed = makeProducer(generation: generation) else { return }
                producer = renewed
                for (place, answer) in ledger.allUnacknowledged() { produce(answer, at: place, by: producer) }
            }
        }
        producer.close(deadline: .seconds(1))
    }

    private func makeProducer(generation: Int) -> KafkaProducer? {
        do {
            return try KafkaProducer(
                configuration, properties: ["message.timeout.ms": "0"],
                onError: { [self] error in failed(error, generation: generation) },
                onDelivery: { [self] report in delivered(report, generation: generation) })
        } catch {
            onFailure(.init(.failed, "cannot make a Kafka producer: \(error)"))
            return nil
        }
    }

    private func produce(_ answer: Answer, at place: Place, by producer: KafkaProducer) {
        produce(.result, of: answer, at: place, by: producer)
        if answer.result.failure != nil { produce(.deadLetter, of: answer, at: place, by: producer) }
    }

    /// Produces one message, waiting while the producer's queue is full.
    private func produce(
        _ kind: DeliveryToken.Kind, of answer: Answer, at place: Place, by producer: KafkaProducer,
        reduced: Bool = false
    ) {
        let token = DeliveryToken(place, kind)
        let topic = kind == .result ? destination.results : destination.deadLetters
        let record =
            kind == .result ? resultRecord(answer, reduced: reduced) : deadLetterRecord(answer, reduced: reduced)
        while true {
            let before = deliveries.withLock { $0 }
            do {
                return try producer.produce(record, topic: topic, token: token.rawValue)
            } catch let error as KafkaError where error.category == .queueFull {
                _ = deliveries.wait(until: .now + .milliseconds(100)) { $0 != before }
            } catch {
                return undelivered(token, error as? KafkaError)
            }
        }
    }

    private func resultRecord(_ answer: Answer, reduced: Bool) -> KafkaRecord {
        let answer = reduced ? answer.reduced : answer
        return answer.result.record(answering: answer.message, clusterID: destination.clusterID)
    }

    private func deadLetterRecord(_ answer: Answer, reduced: Bool) -> KafkaRecord {
        let failure = answer.result.failure ?? RequestFailure(.internal, "unknown")
        return DeadLetter(failure: failure, attempts: answer.result.attempts, worker: answer.result.worker)
            .record(for: answer.message, maximumBytes: reduced ? 0 : destination.deadLetterBytes)
    }

    // MARK: On the producer's thread

    private func delivered(_ report: DeliveryReport, generation: Int) {
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
            ledger.acknowledge(token.place)
        }
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
        let isTooLarge = name == "MSG_SIZE_TOO_LARGE" || name == "RECORD_LIST_TOO_LARGE"
        work.put(isTooLarge ? .tooLarge(token) : .again(token), at: .now + .milliseconds(isTooLarge ? 10 : 1000))
    }
}

extension Answer {
    /// The least that can be said, for a results topic that takes less than the contract wants: nothing of the request but
    /// its id and place.
    fileprivate var reduced: Answer {
        var result = result
        result.metadata = nil
        result.batch = nil
        if result.image.utf8.count > 4096 { result.image = "" }
        let key = message.key.flatMap { $0.count <= 1024 ? $0 : nil }
        return Answer(
            message: KafkaMessage(
                topic: message.topic, partition: message.partition, offset: message.offset,
                timestamp: message.timestamp, key: key),
            result: result)
    }
}
