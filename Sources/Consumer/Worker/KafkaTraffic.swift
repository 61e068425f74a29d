import Foundation
import Synchronization
import Telemetry

/// What the consumer has received from the brokers, by librdkafka's statistics: beside what was consumed, it shows whether
/// records are fetched more than once.
final class KafkaTraffic: Sendable {
    struct Bytes: Sendable, Equatable {
        /// All that the brokers sent, protocol and compression included.
        var received = 0
        /// Keys and values of the records among it.
        var fetched = 0
    }

    /// The part of librdkafka's statistics that is of use here (STATISTICS.md of its documentation).
    private struct Statistics: Decodable {
        struct Counter: Decodable { var rxbytes: Int }
        struct Topic: Decodable { var partitions: [String: Counter] }

        var brokers: [String: Counter]
        var topics: [String: Topic]
    }

    private let bytes = Mutex(Bytes())
    private let counters: Counters
    private let logger: Logger

    init(counters: Counters, logger: Logger) {
        self.counters = counters
        self.logger = logger
    }

    var current: Bytes { bytes.withLock { $0 } }

    /// Takes the statistics in, as librdkafka gives them: JSON text. What cannot be read is let go by.
    func take(_ text: String) {
        guard let statistics = try? JSONDecoder().decode(Statistics.self, from: Data(text.utf8)) else { return }
        let now = Bytes(
            received: statistics.brokers.values.reduce(0) { $0 + $1.rxbytes },
            fetched: statistics.topics.values.flatMap(\.partitions.values).reduce(0) { $0 + $1.rxbytes })
        bytes.withLock { $0 = now }
        logger.debug(
            "traffic",
            metadata: [
                "bytes_received": .integer(now.received), "bytes_fetched": .integer(now.fetched),
                "bytes_consumed": .integer(counters.current.bytesTaken),
            ])
    }
}
