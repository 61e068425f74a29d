import CRdKafka

/// A consumer's place in its group, as a transactional producer needs it: may be asked from any thread, while the consumer
/// itself belongs to the thread that polls it.
public struct ConsumerGroupMember: Sendable {
    private let handle: ClientHandle

    init(handle: ClientHandle) { self.handle = handle }

    /// The membership at this moment: group, generation, member. Take it afresh for each `sendOffsets`: brokers refuse
    /// offsets of a generation that has passed, which is what keeps a zombie from committing.
    ///
    /// Nil while there is no membership. Offsets sent without one would be taken by the brokers unchecked (they take it for
    /// a client without groups), so that a zombie could commit them.
    public func metadata() -> ConsumerGroupMetadata? {
        guard let pointer = rd_kafka_consumer_group_metadata(handle.pointer) else { return nil }
        let metadata = ConsumerGroupMetadata(consuming: pointer)
        return (metadata.generation ?? -1) >= 0 && rd_kafka_assignment_lost(handle.pointer) == 0 ? metadata : nil
    }

    /// Whether the group has been asked to be joined and has not answered yet; see `KafkaConsumer.isJoining`.
    public var isJoining: Bool { handle.context.isJoining.load(ordering: .acquiring) }

    /// What the group has committed, once no transaction is under way that could change it; partitions without a committed
    /// offset are left out. It blocks, at most as long as `timeout`.
    public func committedOffsets(of partitions: [TopicPartition], timeout: Duration) throws -> [TopicPartitionOffset] {
        let list = PartitionList(partitions)
        let code = rd_kafka_committed(handle.pointer, list.pointer, timeout.milliseconds)
        if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaError(code) }
        if let error = list.firstError { throw error }
        return list.pointer.pointee.offsets
    }
}

/// librdkafka's `rd_kafka_consumer_group_metadata_t`, owned.
///
/// `@unchecked Sendable`: it never changes after it was made.
public final class ConsumerGroupMetadata: @unchecked Sendable {
    let pointer: OpaquePointer

    init(consuming pointer: OpaquePointer) { self.pointer = pointer }

    deinit { rd_kafka_consumer_group_metadata_destroy(pointer) }

    /// The generation of the group that it speaks for; negative without a membership, nil if librdkafka's form is unknown.
    ///
    /// It can only be had from the serialised form: the mark `CGMDv2:`, then the generation as a native 32-bit integer.
    var generation: Int32? {
        var buffer: UnsafeMutableRawPointer?
        var size = 0
        guard KafkaError(consuming: rd_kafka_consumer_group_metadata_write(pointer, &buffer, &size)) == nil,
            let buffer
        else { return nil }
        defer { rd_kafka_mem_free(nil, buffer) }
        let bytes = UnsafeRawBufferPointer(start: buffer, count: size)
        let mark = Array("CGMDv2:".utf8)
        guard bytes.count >= mark.count + 4, bytes.prefix(mark.count).elementsEqual(mark) else { return nil }
        return bytes.loadUnaligned(fromByteOffset: mark.count, as: Int32.self)
    }
}

extension KafkaConsumer {
    /// This consumer's place in its group, for other threads.
    public var member: ConsumerGroupMember { ConsumerGroupMember(handle: handle) }
}
