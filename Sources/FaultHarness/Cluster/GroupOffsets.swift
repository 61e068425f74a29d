import Messaging

/// Where a consumer group stands, asked from outside. It belongs to one thread.
final class GroupOffsets {
    private let consumer: KafkaConsumer

    /// - Parameter group: it is asked about, never joined.
    init(_ configuration: KafkaConfiguration, group: String) throws {
        // Asked by a reader of what is committed, brokers tell the end of that, which an open transaction holds back.
        consumer = try KafkaConsumer(
            configuration, groupID: group, properties: ["isolation.level": "read_uncommitted"])
    }

    deinit { consumer.close(deadline: .seconds(3)) }

    /// Committed offsets; partitions without one are left out.
    func committed(of partitions: [TopicPartition]) throws -> [TopicPartition: Int64] {
        let offsets = try consumer.committedOffsets(of: partitions, timeout: .seconds(5))
        return Dictionary(offsets.map { ($0.partition, $0.offset) }) { $1 }
    }

    /// What the group has not committed yet, of the partitions that have a committed offset.
    func backlog(of partitions: [TopicPartition]) throws -> [TopicPartition: Range<Int64>] {
        var backlog: [TopicPartition: Range<Int64>] = [:]
        for (partition, offset) in try committed(of: partitions) {
            let end = try consumer.watermarks(of: partition, timeout: .seconds(5)).upperBound
            backlog[partition] = offset..<max(offset, end)
        }
        return backlog
    }

    /// Partitions whose last record is not committed, with what is left. Empty: the group has caught up.
    func uncommitted(of partitions: [TopicPartition]) throws -> [TopicPartition: Range<Int64>] {
        let committed = try committed(of: partitions)
        var left: [TopicPartition: Range<Int64>] = [:]
        for partition in partitions {
            let there = try consumer.watermarks(of: partition, timeout: .seconds(5))
            let next = max(committed[partition] ?? there.lowerBound, there.lowerBound)
            if next < there.upperBound { left[partition] = next..<there.upperBound }
        }
        return left
    }

    /// The offset after the last record of each partition, of aborted and open transactions too.
    func ends(of partitions: [TopicPartition]) throws -> [TopicPartition: Int64] {
        var ends: [TopicPartition: Int64] = [:]
        for partition in partitions {
            ends[partition] = try consumer.watermarks(of: partition, timeout: .seconds(5)).upperBound
        }
        return ends
    }
}
