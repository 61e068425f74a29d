import CRdKafka

extension ClientHandle {
    /// Asks for one topic by name, so that the client knows its partitions from then on. Brokers that make topics by
    /// themselves make it then. It blocks.
    func requestMetadata(ofTopic name: String, timeout: Duration) {
        guard let topic = rd_kafka_topic_new(pointer, name, nil) else { return }
        defer { rd_kafka_topic_destroy(topic) }
        var native: UnsafePointer<rd_kafka_metadata>?
        if rd_kafka_metadata(pointer, 0, topic, &native, max(1, timeout.milliseconds)) == RD_KAFKA_RESP_ERR_NO_ERROR {
            rd_kafka_metadata_destroy(native)
        }
    }
}
