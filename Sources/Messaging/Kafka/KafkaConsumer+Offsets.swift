import CRdKafka

/// Offsets.
extension KafkaConsumer {
    /// Commits the offsets of the next records to read, and waits for the answer.
    ///
    /// - Throws: `KafkaError`; after `timeout` one of category `.unreachable`, and the commit may still come to pass.
    public func commit(_ offsets: [TopicPartitionOffset], timeout: Duration) throws {
        if offsets.isEmpty { return }
        try commit(PartitionList(offsets), timeout: timeout)
    }

    func commit(_ list: borrowing PartitionList, timeout: Duration) throws {
        guard let queue = rd_kafka_queue_new(handle.pointer) else { throw KafkaError.closed }
        defer { rd_kafka_queue_destroy(queue) }
        try check(rd_kafka_commit_queue(handle.pointer, list.pointer, queue, nil, nil))
        guard let event = rd_kafka_queue_poll(queue, timeout.milliseconds) else {
            throw KafkaError.timedOut("the commit was not answered within \(timeout)")
        }
        defer { rd_kafka_event_destroy(event) }
        try check(rd_kafka_event_error(event))
        if let error = rd_kafka_event_topic_partition_list(event)?.pointee.firstError { throw error }
    }

    /// Sends a commit; the delegate hears what became of it, within a later `poll`.
    public func commitAsync(_ offsets: [TopicPartitionOffset]) throws {
        if offsets.isEmpty { return }
        // The answer goes to the queue that `poll` serves. (The callback of the configuration is not used: librdkafka calls
        // that for `commit` too.)
        guard let queue = rd_kafka_queue_get_consumer(handle.pointer) else { throw KafkaError.closed }
        defer { rd_kafka_queue_destroy(queue) }
        let list = PartitionList(offsets)
        let context = Unmanaged.passUnretained(handle.context).toOpaque()
        try check(rd_kafka_commit_queue(handle.pointer, list.pointer, queue, commitCallback, context))
    }

    /// What the group has committed; partitions without a committed offset are left out.
    public func committedOffsets(of partitions: [TopicPartition], timeout: Duration) throws -> [TopicPartitionOffset] {
        let list = PartitionList(partitions)
        try check(rd_kafka_committed(handle.pointer, list.pointer, timeout.milliseconds))
        if let error = list.firstError { throw error }
        return list.pointer.pointee.offsets
    }

    /// The first offset that is there and the one that the next record will get, asked of the partition's leader.
    public func watermarks(of partition: TopicPartition, timeout: Duration) throws -> Range<Int64> {
        var low: Int64 = 0
        var high: Int64 = 0
        try check(
            rd_kafka_query_watermark_offsets(
                handle.pointer, partition.topic, partition.partition, &low, &high, timeout.milliseconds))
        return low..<max(low, high)
    }
}

private let commitCallback:
    @convention(c) (
        OpaquePointer?, rd_kafka_resp_err_t, UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?,
        UnsafeMutableRawPointer?
    ) -> Void = { _, code, list, opaque in
        guard let consumer = ClientContext.from(opaque)?.consumer, let list else { return }
        let failure = code == RD_KAFKA_RESP_ERR_NO_ERROR ? list.pointee.firstError : KafkaError(code)
        if let failure { consumer.handle.context.notice(failure) }
        consumer.delegate?.consumer(consumer, committed: list.pointee.offsets, error: failure)
    }
