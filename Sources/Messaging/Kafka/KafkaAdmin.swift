import CRdKafka

/// What the brokers tell of themselves.
public struct ClusterMetadata: Sendable, Equatable {
    public var clusterID: String
    public var brokerCount: Int
    /// Topics that there are, with their number of partitions.
    public var partitionCounts: [String: Int]

    /// librdkafka's in-memory broker (`kaption-broker`): no topic creation, no real transactions.
    public var isMock: Bool { clusterID.hasPrefix("mockCluster") }
}

/// Questions to the brokers and making topics. All calls block: never make them on Swift's cooperative pool.
public final class KafkaAdmin: Sendable {
    let handle: ClientHandle
    let configuration: KafkaConfiguration

    /// - Throws: `KafkaError` of category `.configuration`. Brokers that cannot be reached are no error here.
    public init(_ configuration: KafkaConfiguration) throws {
        // Who asks gets the answer.
        var configuration = configuration
        configuration.onRefusal = nil
        configuration.statistics = nil
        self.configuration = configuration
        // Otherwise brokers make a topic, in their own way, as soon as it is asked for.
        let native = try configuration.makeNative(defaults: [:], overrides: ["allow.auto.create.topics": "false"])
        handle = try ClientHandle(RD_KAFKA_PRODUCER, native: native, configuration: configuration)
    }

    /// Waits until the brokers answer.
    ///
    /// - Throws: `KafkaError`: `.authentication` as soon as the brokers refuse the client, `.unreachable` after `timeout`.
    public func metadata(timeout: Duration) throws -> ClusterMetadata {
        try untilAnswered(within: timeout) { try metadata(attempt: $0) }
    }

    /// Asks one broker for the list of brokers, to see whether any answers.
    ///
    /// - Throws: as `metadata`.
    public func probe(timeout: Duration) throws {
        // Errors of earlier outages are of no interest, and must not pile up.
        rd_kafka_poll(handle.pointer, 0)
        while handle.context.takeError() != nil {}
        try untilAnswered(within: timeout) { attempt in
            var native: UnsafePointer<rd_kafka_metadata>?
            let code = rd_kafka_metadata(handle.pointer, 0, nil, &native, attempt.milliseconds)
            if let native { rd_kafka_metadata_destroy(native) }
            if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaError(code) }
        }
    }

    private func untilAnswered<Answer>(within timeout: Duration, _ ask: (Duration) throws -> Answer) throws -> Answer {
        let clock = ContinuousClock()
        let end = clock.now + timeout
        var cause: KafkaError?
        repeat {
            do {
                return try ask(max(.milliseconds(1), min(.seconds(1), end - clock.now)))
            } catch let error as KafkaError {
                if error.category != .unreachable { throw error }
            }
            // Why a connection failed is only told by the error callback.
            rd_kafka_poll(handle.pointer, 0)
            while let error = handle.context.takeError() {
                if error.category == .authentication || error.category == .authorization { throw error }
                if error.name != "_ALL_BROKERS_DOWN" { cause = error }
            }
        } while clock.now < end
        throw cause?.explainedAsAtStart ?? KafkaError.timedOut("no broker answered within \(timeout)")
    }

    private func metadata(attempt timeout: Duration) throws -> ClusterMetadata {
        var native: UnsafePointer<rd_kafka_metadata>?
        let code = rd_kafka_metadata(handle.pointer, 1, nil, &native, timeout.milliseconds)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let native else { throw KafkaError(code) }
        defer { rd_kafka_metadata_destroy(native) }
        var clusterID = ""
        if let text = rd_kafka_clusterid(handle.pointer, 0) {
            clusterID = String(cString: text)
            rd_kafka_mem_free(handle.pointer, text)
        }
        var counts: [String: Int] = [:]
        for topic in UnsafeBufferPointer(start: native.pointee.topics, count: Int(native.pointee.topic_cnt))
        where topic.err == RD_KAFKA_RESP_ERR_NO_ERROR {
            counts[String(cString: topic.topic)] = Int(topic.partition_cnt)
        }
        return ClusterMetadata(
            clusterID: clusterID, brokerCount: Int(native.pointee.broker_cnt), partitionCounts: counts)
    }
}
