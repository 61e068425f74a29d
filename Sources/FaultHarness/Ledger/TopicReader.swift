import Foundation
import Messaging
import Synchronization

/// Reads a topic from its beginning on, `read_committed`, without a group.
enum TopicReader {
    /// All that is there, and no less than up to `ends`.
    ///
    /// - Throws: `HarnessError` when that cannot be reached in time: brokers are away, or a transaction stays open.
    static func readAll(
        _ topic: String, upTo ends: [TopicPartition: Int64], configuration: KafkaConfiguration, timeout: Duration
    ) throws -> [KafkaMessage] {
        let consumer = try makeConsumer(configuration, partitions: ends.keys.sorted())
        defer { consumer.close(deadline: .seconds(3)) }
        let deadline = ContinuousClock.now + timeout
        var messages: [KafkaMessage] = []
        var left = ends.filter { $0.value > 0 }
        while !left.isEmpty {
            guard ContinuousClock.now < deadline else {
                throw HarnessError(
                    "\(topic) cannot be read to its end within \(timeout.text), a transaction may be open: "
                        + left.map { "\($0.key) up to \($0.value)" }.sorted().joined(separator: ", "))
            }
            switch consumer.poll(timeoutMilliseconds: 100) {
            case .message(let message): messages.append(message)
            case .partitionEnd(let end):
                if let wanted = left[end.partition], end.offset >= wanted { left[end.partition] = nil }
            case .error, nil: break
            }
        }
        return messages
    }

    static func makeConsumer(
        _ configuration: KafkaConfiguration, partitions: [TopicPartition]
    ) throws -> KafkaConsumer {
        let consumer = try KafkaConsumer(
            configuration, groupID: "kaption-chaos-reader",
            properties: ["auto.offset.reset": "earliest", "enable.partition.eof": "true"])
        try consumer.assign(partitions.map { TopicPartitionOffset($0, offset: TopicPartitionOffset.beginning) })
        return consumer
    }
}

/// Watches the topic of results while the run goes on: when a `read_committed` reader sees which answer.
final class ResultWatch: Sendable {
    struct Sighting: Sendable, Equatable {
        var time: ContinuousClock.Instant
        var request: Position
        var worker: String
    }

    private struct State: Sendable {
        var sightings: [Sighting] = []
        var isStopped = false
    }

    private let state = Mutex(State())

    init() {}

    /// Begins, on a thread of its own.
    func start(_ configuration: KafkaConfiguration, topic: String, partitionCount: Int) {
        let thread = Thread { [self] in
            let partitions = (0..<Int32(partitionCount)).map { TopicPartition(topic: topic, partition: $0) }
            guard let consumer = try? TopicReader.makeConsumer(configuration, partitions: partitions) else { return }
            while !state.withLock({ $0.isStopped }) {
                guard case .message(let message) = consumer.poll(timeoutMilliseconds: 100),
                    let result = try? ResultRecord(message)
                else { continue }
                let sighting = Sighting(time: .now, request: result.request, worker: result.worker)
                state.withLock { $0.sightings.append(sighting) }
            }
            consumer.close(deadline: .seconds(3))
        }
        thread.name = "watch"
        thread.start()
    }

    func stop() { state.withLock { $0.isStopped = true } }

    var sightings: [Sighting] { state.withLock { $0.sightings } }
}
