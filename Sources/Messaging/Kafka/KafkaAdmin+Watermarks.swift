import CRdKafka

extension KafkaAdmin {
    /// For each partition of a topic, the first offset that is there and the one after the last record that a
    /// `read_committed` reader may see: the next record's, unless a transaction is open.
    ///
    /// - Throws: `KafkaError`: name `UNKNOWN_TOPIC_OR_PART`, `.authorization` without the right to describe the topic,
    ///   `.unreachable` after `timeout`.
    public func watermarks(of topic: String, timeout: Duration) throws -> [TopicPartition: Range<Int64>] {
        let clock = ContinuousClock()
        let end = clock.now + timeout
        let metadata = try metadata(timeout: timeout)
        guard let count = metadata.partitionCounts[topic] else {
            throw KafkaError(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "there is no topic \(topic)")
        }
        var ranges: [TopicPartition: Range<Int64>] = [:]
        for number in 0..<Int32(clamping: count) {
            let partition = TopicPartition(topic: topic, partition: number)
            var (low, high): (Int64, Int64) = (0, 0)
            let code = rd_kafka_query_watermark_offsets(
                handle.pointer, topic, number, &low, &high, max(1, (end - clock.now).milliseconds))
            if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaError(code, partition: partition) }
            ranges[partition] = low..<max(low, high)
        }
        return ranges
    }
}
