import CRdKafka

/// A topic as a program needs it.
public struct TopicSpecification: Sendable {
    public var name: String
    /// For a topic that is made; one that exists may have any number.
    public var partitions: Int
    /// −1: the brokers' default.
    public var replicationFactor: Int
    /// The topic's `max.message.bytes` at least; set on a topic that is made, checked on one that exists.
    public var maximumMessageBytes: Int?

    public init(_ name: String, partitions: Int, replicationFactor: Int = -1, maximumMessageBytes: Int? = nil) {
        self.name = name
        self.partitions = partitions
        self.replicationFactor = replicationFactor
        self.maximumMessageBytes = maximumMessageBytes
    }
}

/// What `ensureTopics` found or made.
public struct TopicState: Sendable, Equatable {
    public var name: String
    public var partitions: Int
    public var wasCreated: Bool
    /// The topic's `max.message.bytes`; nil if the brokers did not tell (no right to ask, or a mock).
    public var maximumMessageBytes: Int?
    /// What is not as specified, for a person; empty if all is well.
    public var warnings: [String] = []
}

extension KafkaAdmin {
    /// Makes the topics that are missing, waits until they can be used, and checks the others.
    ///
    /// A mock cluster has no request to create topics; there it makes missing ones by itself when they are asked for, with a
    /// number of partitions of its own.
    /// - Throws: `KafkaError`: `.authorization` if topics are missing and may not be made, `.unreachable` after `timeout`.
    public func ensureTopics(_ topics: [TopicSpecification], timeout: Duration) throws -> [TopicState] {
        let clock = ContinuousClock()
        let end = clock.now + timeout
        var metadata = try metadata(timeout: timeout)
        let missing = topics.filter { metadata.partitionCounts[$0.name] == nil }
        if metadata.isMock {
            for topic in missing { handle.requestMetadata(ofTopic: topic.name, timeout: end - clock.now) }
        } else if !missing.isEmpty {
            for topic in missing { try checkVisible(topic.name, timeout: end - clock.now) }
            try create(missing, timeout: end - clock.now)
        }
        while let absent = topics.first(where: { metadata.partitionCounts[$0.name] == nil }) {
            if clock.now >= end {
                throw KafkaError.timedOut("the topic \(absent.name) is still not there after \(timeout)")
            }
            handle.requestMetadata(ofTopic: absent.name, timeout: .milliseconds(200))
            metadata = try self.metadata(timeout: max(.milliseconds(100), end - clock.now))
        }
        let limits = metadata.isMock ? [:] : messageLimits(of: topics.map(\.name), timeout: end - clock.now)
        return topics.map { topic in
            var state = TopicState(
                name: topic.name, partitions: metadata.partitionCounts[topic.name] ?? 0,
                wasCreated: missing.contains { $0.name == topic.name }, maximumMessageBytes: limits[topic.name])
            if let needed = topic.maximumMessageBytes, let limit = limits[topic.name], limit < needed {
                state.warnings.append(
                    "topic \(topic.name) takes records of at most \(limit) bytes, \(needed) are needed: set its "
                        + "max.message.bytes")
            }
            return state
        }
    }

    private func create(_ topics: [TopicSpecification], timeout: Duration) throws {
        var requests: [OpaquePointer?] = []
        defer { for request in requests { rd_kafka_NewTopic_destroy(request) } }
        for topic in topics {
            var text = [CChar](repeating: 0, count: 512)
            guard
                let request = rd_kafka_NewTopic_new(
                    topic.name, Int32(clamping: topic.partitions), Int32(clamping: topic.replicationFactor), &text,
                    text.count)
            else { throw KafkaError.configuration("topic \(topic.name): \(string(ofTerminated: text))") }
            requests.append(request)
            if let bytes = topic.maximumMessageBytes {
                rd_kafka_NewTopic_set_config(request, "max.message.bytes", String(bytes))
            }
        }
        try perform(RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout: timeout) { options, queue in
            rd_kafka_CreateTopics(handle.pointer, &requests, requests.count, options, queue)
        } result: { event in
            var count = 0
            let results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count)
            for result in UnsafeBufferPointer(start: results, count: count) {
                let code = rd_kafka_topic_result_error(result)
                // Another program may have made it at the same moment.
                if code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS { continue }
                let name = String(cString: rd_kafka_topic_result_name(result))
                let reason = rd_kafka_topic_result_error_string(result).map { String(cString: $0) }
                throw KafkaError(
                    code, "cannot create the topic \(name): \(reason ?? String(cString: rd_kafka_err2str(code)))")
            }
        }
    }

    /// `max.message.bytes` of the topics, as far as the brokers tell: asking takes a right (DescribeConfigs) of its own.
    private func messageLimits(of topics: [String], timeout: Duration) -> [String: Int] {
        var requests: [OpaquePointer?] = topics.map { rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, $0) }
        defer { for request in requests { rd_kafka_ConfigResource_destroy(request) } }
        var limits: [String: Int] = [:]
        try? perform(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout: timeout) { options, queue in
            rd_kafka_DescribeConfigs(handle.pointer, &requests, requests.count, options, queue)
        } result: { event in
            var count = 0
            let results = rd_kafka_DescribeConfigs_result_resources(
                rd_kafka_event_DescribeConfigs_result(event), &count)
            for result in UnsafeBufferPointer(start: results, count: count) {
                var entryCount = 0
                let entries = rd_kafka_ConfigResource_configs(result, &entryCount)
                for entry in UnsafeBufferPointer(start: entries, count: entryCount)
                where String(cString: rd_kafka_ConfigEntry_name(entry)) == "max.message.bytes" {
                    guard let value = rd_kafka_ConfigEntry_value(entry) else { continue }
                    limits[String(cString: rd_kafka_ConfigResource_name(result))] = Int(String(cString: value))
                }
            }
        }
        return limits
    }
}
