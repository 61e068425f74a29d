import CRdKafka
import Glibc

/// An offset as a group commits it, with a text of the program's own that the brokers keep beside it.
public struct OffsetAndMetadata: Sendable, Hashable {
    /// What brokers take of metadata unless `offset.metadata.max.bytes` says otherwise.
    public static let maximumMetadataBytes = 4096

    public var partition: TopicPartition
    /// Of the next record to read.
    public var offset: Int64
    /// Without NUL; empty where there is none.
    public var metadata: String

    public init(_ partition: TopicPartition, offset: Int64, metadata: String) {
        self.partition = partition
        self.offset = offset
        self.metadata = metadata
    }
}

extension KafkaConsumer {
    /// Commits offsets with their metadata, and waits for the answer.
    ///
    /// - Throws: `KafkaError`: name `OFFSET_METADATA_TOO_LARGE`; after `timeout` one of category `.unreachable`, and the
    ///   commit may still come to pass.
    public func commit(_ offsets: [OffsetAndMetadata], timeout: Duration) throws {
        if offsets.isEmpty { return }
        try commit(PartitionList(offsets), timeout: timeout)
    }

    /// What the group has committed, with the metadata; partitions without a committed offset are left out.
    public func committed(_ partitions: [TopicPartition], timeout: Duration) throws -> [OffsetAndMetadata] {
        let list = PartitionList(partitions)
        try check(rd_kafka_committed(handle.pointer, list.pointer, timeout.milliseconds))
        if let error = list.firstError { throw error }
        return list.pointer.pointee.elements.filter { $0.offset >= 0 }.map { element in
            let metadata = UnsafeRawBufferPointer(start: element.metadata, count: element.metadata_size)
            return OffsetAndMetadata(
                element.topicPartition, offset: element.offset, metadata: String(decoding: metadata, as: UTF8.self))
        }
    }
}

extension PartitionList {
    fileprivate init(_ offsets: [OffsetAndMetadata]) {
        self.init(offsets.map { TopicPartitionOffset($0.partition, offset: $0.offset) })
        let elements = UnsafeMutableBufferPointer(start: pointer.pointee.elems, count: offsets.count)
        for (element, offset) in zip(elements.indices, offsets) where !offset.metadata.isEmpty {
            // librdkafka frees it with the list.
            elements[element].metadata = UnsafeMutableRawPointer(strdup(offset.metadata))
            elements[element].metadata_size = offset.metadata.utf8.count
        }
    }
}
