import CRdKafka

extension KafkaAdmin {
    /// Raises a topic's number of partitions to `total`. Records keep their places; a key may go to another partition from
    /// then on. Clients notice with their next refresh of metadata.
    ///
    /// - Throws: `KafkaError`: `.authorization` without the right to alter the topic, name `INVALID_PARTITIONS` where `total`
    ///   is not more than there are, `.unreachable` after `timeout`.
    public func createPartitions(of topic: String, total: Int, timeout: Duration) throws {
        var text = [CChar](repeating: 0, count: 512)
        guard total > 0, let request = rd_kafka_NewPartitions_new(topic, total, &text, text.count) else {
            throw KafkaError.configuration("topic \(topic), \(total) partitions: \(string(ofTerminated: text))")
        }
        defer { rd_kafka_NewPartitions_destroy(request) }
        var requests: [OpaquePointer?] = [request]
        try perform(RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, timeout: timeout) { options, queue in
            rd_kafka_CreatePartitions(handle.pointer, &requests, requests.count, options, queue)
        } result: { event in
            var count = 0
            let results = rd_kafka_CreatePartitions_result_topics(
                rd_kafka_event_CreatePartitions_result(event), &count)
            for result in UnsafeBufferPointer(start: results, count: count) {
                let code = rd_kafka_topic_result_error(result)
                if code == RD_KAFKA_RESP_ERR_NO_ERROR { continue }
                let reason = rd_kafka_topic_result_error_string(result).map { String(cString: $0) }
                throw KafkaError(
                    code,
                    "cannot add partitions to the topic \(topic): \(reason ?? String(cString: rd_kafka_err2str(code)))")
            }
        }
    }
}
