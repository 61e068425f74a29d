import CRdKafka

extension KafkaAdmin {
    /// What a group has committed, of all topics; empty for a group that never committed, or does not exist.
    ///
    /// - Throws: `KafkaError`: `.authorization` without the right to describe the group, `.unreachable` after `timeout`.
    public func committedOffsets(ofGroup group: String, timeout: Duration) throws -> [TopicPartitionOffset] {
        guard let request = rd_kafka_ListConsumerGroupOffsets_new(group, nil) else { throw KafkaError.closed }
        defer { rd_kafka_ListConsumerGroupOffsets_destroy(request) }
        var requests: [OpaquePointer?] = [request]
        var offsets: [TopicPartitionOffset] = []
        try perform(RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, timeout: timeout) { options, queue in
            rd_kafka_ListConsumerGroupOffsets(handle.pointer, &requests, requests.count, options, queue)
        } result: { event in
            var count = 0
            let results = rd_kafka_ListConsumerGroupOffsets_result_groups(
                rd_kafka_event_ListConsumerGroupOffsets_result(event), &count)
            for result in UnsafeBufferPointer(start: results, count: count) {
                if let error = rd_kafka_group_result_error(result) {
                    throw KafkaError(
                        rd_kafka_error_code(error),
                        "group \(group): \(String(cString: rd_kafka_error_string(error)))")
                }
                guard let list = rd_kafka_group_result_partitions(result) else { continue }
                if let error = list.pointee.firstError { throw error }
                offsets += list.pointee.offsets
            }
        }
        return offsets
    }
}
