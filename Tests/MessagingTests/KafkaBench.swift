import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Messaging

/// Which broker a test runs on.
enum BrokerKind: String, Sendable, CustomTestStringConvertible {
    case embedded, apache

    static let available: [BrokerKind] = KafkaLocal.isPresent ? [.embedded, .apache] : [.embedded]

    var testDescription: String { rawValue }
}

/// A topic and a group of a test's own on some broker, and short ways to use them.
struct KafkaBench {
    let broker: any TestBroker
    let topic: String
    let group: String
    var configuration: KafkaConfiguration

    init(_ kind: BrokerKind, partitions: Int) throws {
        let name = "test-\(UUID().uuidString.prefix(8))"
        topic = name
        group = "group-\(name)"
        switch kind {
        case .embedded: broker = try EmbeddedTestBroker(topics: ["\(name):\(partitions)"])
        case .apache: broker = try KafkaLocal.shared()
        }
        configuration = KafkaConfiguration(bootstrapServers: broker.bootstrapServers)
        // So that a group finds its members quickly: the broker's own shortest.
        configuration.set("session.timeout.ms", "6000")
        configuration.set("heartbeat.interval.ms", "500")
        if kind == .apache {
            _ = try KafkaAdmin(configuration).ensureTopics(
                [TopicSpecification(name, partitions: partitions)], timeout: .seconds(30))
        }
    }

    func partition(_ number: Int32) -> TopicPartition { TopicPartition(topic: topic, partition: number) }

    func consumer(delegate: (any KafkaConsumerDelegate)? = nil) throws -> KafkaConsumer {
        try KafkaConsumer(configuration, groupID: group, delegate: delegate)
    }

    /// Produces and waits for all reports, which come in the order of tokens 0, 1, 2… within a partition.
    @discardableResult
    func produce(_ records: [KafkaRecord], partition: Int32? = nil, timestamp: Int64? = nil) throws -> [DeliveryReport]
    {
        let collected = Collected<DeliveryReport>()
        let producer = try KafkaProducer(configuration, onDelivery: { collected.append($0) })
        for (index, record) in records.enumerated() {
            try producer.produce(record, topic: topic, partition: partition, timestamp: timestamp, token: UInt64(index))
        }
        #expect(producer.close(deadline: .seconds(30)))
        return collected.values
    }

    /// The next messages; fewer, and an issue, if they do not come in time.
    func read(_ consumer: KafkaConsumer, count: Int) -> [KafkaMessage] {
        var messages: [KafkaMessage] = []
        let isDone = eventually(within: .seconds(30)) {
            switch consumer.poll(timeoutMilliseconds: 50) {
            case .message(let message): messages.append(message)
            case .error(let error) where error.category != .unreachable: Issue.record("\(error)")
            default: break
            }
            return messages.count >= count
        }
        #expect(isDone, "\(messages.count) of \(count) messages came")
        return messages
    }
}

/// Values that come from other threads.
final class Collected<Value: Sendable>: Sendable {
    private let storage = Mutex<[Value]>([])

    func append(_ value: Value) { storage.withLock { $0.append(value) } }

    var values: [Value] { storage.withLock { $0 } }
}

/// Writes down what the group protocol brings.
final class Follower: KafkaConsumerDelegate {
    private let startAtLow: Bool
    var assigned: [TopicPartition] = []
    var revoked: [TopicPartition] = []
    var lost: [TopicPartition] = []
    var commits: [[TopicPartitionOffset]] = []
    /// Called when partitions are revoked, before the answer.
    var onRevoke: (KafkaConsumer, [TopicPartition]) -> Void = { _, _ in }

    init(startAtLow: Bool = false) { self.startAtLow = startAtLow }

    func consumer(_ consumer: KafkaConsumer, assigned partitions: [TopicPartition]) -> [TopicPartitionOffset] {
        assigned += partitions.sorted()
        guard startAtLow else { return [] }
        let known = (try? consumer.committedOffsets(of: partitions, timeout: .seconds(10))) ?? []
        return partitions.filter { partition in !known.contains { $0.partition == partition } }.compactMap {
            partition in
            (try? consumer.watermarks(of: partition, timeout: .seconds(10))).map {
                TopicPartitionOffset(partition, offset: $0.lowerBound)
            }
        }
    }

    func consumer(_ consumer: KafkaConsumer, revoked partitions: [TopicPartition]) {
        onRevoke(consumer, partitions)
        revoked += partitions.sorted()
    }

    func consumer(_ consumer: KafkaConsumer, lost partitions: [TopicPartition]) { lost += partitions.sorted() }

    func consumer(_ consumer: KafkaConsumer, committed offsets: [TopicPartitionOffset], error: KafkaError?) {
        if error == nil { commits.append(offsets) }
    }
}
