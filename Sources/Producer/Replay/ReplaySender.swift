import Foundation
import Messaging
import Synchronization

/// Sends replayed requests, and keeps what became of them until it is asked for.
final class ReplaySender: Sendable {
    struct Outcome: Sendable {
        var token: UInt64
        /// nil: acknowledged.
        var error: (any Error)?
    }

    /// Unacknowledged at most.
    private static let limit = 1000

    private let outcomes: Outcomes
    private let producer: KafkaProducer

    /// - Parameter timeout: how long a request may go without an acknowledgement, unless the user said so by `-X`.
    /// - Throws: `KafkaError` of category `.configuration`.
    init(
        _ configuration: KafkaConfiguration, timeout: Duration, interruption: Interruption, reporter: Reporter
    ) throws {
        let outcomes = Outcomes()
        // A request is as large as its topic took it, which the client need not judge again.
        var properties = ["message.max.bytes": "100000000"]
        if !["message.timeout.ms", "delivery.timeout.ms"].contains(where: { configuration.properties[$0] != nil }) {
            properties["message.timeout.ms"] = String(Int(timeout / .milliseconds(1)))
        }
        producer = try KafkaProducer(
            configuration, properties: properties,
            onError: { error in
                reporter.kafka(error)
                if error.isFatal { interruption.raise(.failure("the Kafka client failed: \(error)")) }
            },
            onDelivery: { outcomes.add(Outcome(token: $0.token, error: $0.error)) })
        self.outcomes = outcomes
    }

    /// Waits for a place among the unacknowledged, then sends. An error is an outcome, too.
    func send(_ record: KafkaRecord, topic: String, token: UInt64) {
        while producer.outstandingCount >= Self.limit { producer.flush(timeout: .milliseconds(50)) }
        while true {
            do {
                return try producer.produce(record, topic: topic, token: token)
            } catch let error as KafkaError where error.category == .queueFull {
                producer.flush(timeout: .milliseconds(100))
            } catch {
                return outcomes.add(Outcome(token: token, error: error))
            }
        }
    }

    /// What has been decided since the last call.
    func takeOutcomes() -> [Outcome] { outcomes.take() }

    /// Waits for outcomes, at most so long.
    func flush(timeout: Duration) { producer.flush(timeout: timeout) }

    /// Gives up what has no outcome yet: each gets an error.
    func purge() { producer.purge() }

    func close() { producer.close(deadline: .seconds(1)) }
}

private final class Outcomes: Sendable {
    private let list = Mutex<[ReplaySender.Outcome]>([])

    func add(_ outcome: ReplaySender.Outcome) { list.withLock { $0.append(outcome) } }

    func take() -> [ReplaySender.Outcome] {
        list.withLock { list in
            defer { list = [] }
            return list
        }
    }
}
