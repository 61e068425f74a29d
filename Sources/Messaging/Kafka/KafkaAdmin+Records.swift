import CRdKafka

extension KafkaAdmin {
    /// Deletes the records of each partition that lie before an offset, as retention would: the offset becomes the first
    /// one that is there. Returns the first offset of each partition afterwards.
    ///
    /// - Throws: `KafkaError`: name `OFFSET_OUT_OF_RANGE` for an offset beyond a partition's end, `.authorization` without
    ///   the right to delete, `.unreachable` after `timeout`; those partitions that it did succeed for stay cut.
    @discardableResult
    public func deleteRecords(before offsets: [TopicPartitionOffset], timeout: Duration) throws
        -> [TopicPartitionOffset]
    {
        if offsets.isEmpty { return [] }
        let list = PartitionList(offsets)
        guard let request = rd_kafka_DeleteRecords_new(list.pointer) else { throw KafkaError.closed }
        defer { rd_kafka_DeleteRecords_destroy(request) }
        var requests: [OpaquePointer?] = [request]
        var first: [TopicPartitionOffset] = []
        try perform(RD_KAFKA_ADMIN_OP_DELETERECORDS, timeout: timeout) { options, queue in
            rd_kafka_DeleteRecords(handle.pointer, &requests, requests.count, options, queue)
        } result: { event in
            guard let answer = rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event)) else {
                return
            }
            if let error = answer.pointee.firstError { throw error }
            first = answer.pointee.offsets
        }
        return first
    }
}
