import CRdKafka

extension KafkaAdmin {
    /// Asks the brokers whether this client may see topics and a group: what any right to read or write implies. Nothing is
    /// made or changed.
    ///
    /// - Parameter group: looked at only if there are topics.
    /// - Throws: `KafkaError`: `.authentication`; `.authorization` with the topic's or group's name in its message;
    ///   `.unreachable` after `timeout`. Topics that do not exist are no error.
    public func checkAccess(topics: [String], group: String?, timeout: Duration) throws {
        let clock = ContinuousClock()
        let end = clock.now + timeout
        _ = try metadata(timeout: timeout)
        for topic in topics { try checkVisible(topic, timeout: end - clock.now) }
        if let group, let topic = topics.first {
            let partition = TopicPartition(topic: topic, partition: 0)
            _ = try committedOffsets(ofGroup: group, of: [partition], timeout: end - clock.now)
        }
    }

    /// A topic that may not be seen is left out of the list of all topics, as if it did not exist; asked for by name, the
    /// brokers tell the two apart.
    func checkVisible(_ name: String, timeout: Duration) throws {
        guard let topic = rd_kafka_topic_new(handle.pointer, name, nil) else { return }
        defer { rd_kafka_topic_destroy(topic) }
        var native: UnsafePointer<rd_kafka_metadata>?
        let code = rd_kafka_metadata(handle.pointer, 0, topic, &native, max(1, timeout.milliseconds))
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let native else { throw KafkaError(code) }
        defer { rd_kafka_metadata_destroy(native) }
        for found in UnsafeBufferPointer(start: native.pointee.topics, count: Int(native.pointee.topic_cnt))
        where found.err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED {
            throw KafkaError(found.err, "the topic \(name) may not be used (nor seen) by this client")
        }
    }
}
