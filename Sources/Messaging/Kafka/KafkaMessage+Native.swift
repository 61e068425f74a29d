import CRdKafka

extension KafkaMessage {
    /// Copies everything out of librdkafka's message.
    init(copying native: UnsafePointer<rd_kafka_message_t>, topic: String) {
        let message = native.pointee
        var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let timestamp = rd_kafka_message_timestamp(native, &kind)
        self.init(
            topic: topic, partition: message.partition, offset: message.offset,
            timestamp: kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp,
            key: bytes(message.key, message.key_len), value: bytes(message.payload, message.len))
        var list: OpaquePointer?
        switch rd_kafka_message_headers(native, &list) {
        case RD_KAFKA_RESP_ERR_NO_ERROR: headers = list.map { KafkaHeader.list(of: $0) } ?? []
        case RD_KAFKA_RESP_ERR__NOENT: break
        default: hasUnreadableHeaders = true
        }
    }
}

extension KafkaHeader {
    /// Copies of what is in a list of librdkafka's.
    static func list(of native: OpaquePointer) -> [KafkaHeader] {
        let count = rd_kafka_header_cnt(native)
        var headers: [KafkaHeader] = []
        headers.reserveCapacity(count)
        for index in 0..<count {
            var name: UnsafePointer<CChar>?
            var value: UnsafeRawPointer?
            var size = 0
            guard rd_kafka_header_get_all(native, index, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR, let name
            else { break }
            headers.append(KafkaHeader(String(cString: name), bytes(value, size)))
        }
        return headers
    }
}

/// A copy of `count` bytes; nil for a null pointer, which is Kafka's null.
private func bytes(_ start: UnsafeRawPointer?, _ count: Int) -> [UInt8]? {
    start.map { Array(UnsafeRawBufferPointer(start: $0, count: count)) }
}

extension KafkaError {
    /// The error that came in place of a message, with the partition it is about. Never for a message that was produced: its
    /// text would be the message's value.
    init(failed native: UnsafePointer<rd_kafka_message_t>) {
        let message = native.pointee
        let text = rd_kafka_message_errstr(native).map { String(cString: $0) }
        self.init(
            message.err, text, isFatal: message.err == RD_KAFKA_RESP_ERR__FATAL, partition: message.topicPartition)
    }
}

extension rd_kafka_message_t {
    /// nil for what concerns no topic.
    var topicPartition: TopicPartition? {
        rkt.flatMap { rd_kafka_topic_name($0) }.map { TopicPartition(topic: String(cString: $0), partition: partition) }
    }
}
