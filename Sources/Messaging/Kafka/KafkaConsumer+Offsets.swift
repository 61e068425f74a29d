import CRdKafka

/// Offsets and flow control.
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

    /// The first offset of each partition whose record is not older than the time (milliseconds since 1970).
    /// Partitions without such a record are left out.
    public func offsets(
        of partitions: [TopicPartition], notBefore timestamp: Int64, timeout: Duration
    ) throws -> [TopicPartitionOffset] {
        let list = PartitionList(partitions.map { TopicPartitionOffset($0, offset: timestamp) })
        try check(rd_kafka_offsets_for_times(handle.pointer, list.pointer, timeout.milliseconds))
        if let error = list.firstError { throw error }
        return list.pointer.pointee.offsets
    }

    /// The offset after the last record that `poll` gave for a partition; nil before the first.
    public func position(of partition: TopicPartition) -> Int64? {
        let list = PartitionList([partition])
        guard rd_kafka_position(handle.pointer, list.pointer) == RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        return list.pointer.pointee.offsets.first?.offset
    }

    /// Makes assigned partitions go on from other offsets, those included that stand still after `_AUTO_OFFSET_RESET`.
    public func seek(_ offsets: [TopicPartitionOffset], timeout: Duration) throws {
        if offsets.isEmpty { return }
        let list = PartitionList(offsets)
        if let error = KafkaError(
            consuming: rd_kafka_seek_partitions(handle.pointer, list.pointer, timeout.milliseconds))
        {
            throw error
        }
        // A partition whose fetching was never started, or was stopped by an error, cannot be sought in librdkafka, only
        // assigned anew.
        let halted = list.failed(by: RD_KAFKA_RESP_ERR__STATE)
        try reassign(offsets.filter { halted.contains($0.partition) && assignment.contains($0.partition) })
        if let error = list.firstError, error.code != RD_KAFKA_RESP_ERR__STATE.rawValue { throw error }
    }

    private func reassign(_ offsets: [TopicPartitionOffset]) throws {
        if offsets.isEmpty { return }
        let list = PartitionList(offsets)
        if isCooperative {
            if let error = KafkaError(consuming: rd_kafka_incremental_unassign(handle.pointer, list.pointer)) {
                throw error
            }
            if let error = KafkaError(consuming: rd_kafka_incremental_assign(handle.pointer, list.pointer)) {
                throw error
            }
        } else {
            // An eager assignment can only be replaced as a whole; the others go on where they are.
            let all = PartitionList(assignment)
            try check(rd_kafka_position(handle.pointer, all.pointer))
            for item in offsets { all.setOffset(item) }
            try check(rd_kafka_assign(handle.pointer, all.pointer))
        }
    }

    /// The id that the group's coordinator gave this member; nil before it joined.
    public var memberID: String? {
        guard let text = rd_kafka_memberid(handle.pointer) else { return nil }
        defer { rd_kafka_mem_free(handle.pointer, text) }
        let id = String(cString: text)
        return id.isEmpty ? nil : id
    }

    /// What the client failed for, if it is beyond use.
    public var fatalError: KafkaError? { handle.fatalError }
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
