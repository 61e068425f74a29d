import CRdKafka

/// librdkafka's mock cluster of one broker, with the client that it needs for its own book-keeping.
/// It belongs to the thread that made it; the broker itself runs on a thread of librdkafka's.
final class MockCluster {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    let bootstrapServers: String
    private let client: OpaquePointer
    private let cluster: OpaquePointer
    private var isStopped = false

    init(topics: [TopicLayout]) throws {
        let configuration = rd_kafka_conf_new()
        // The host client only lends its threads: it never connects, so its complaints would mean nothing.
        rd_kafka_conf_set_log_cb(configuration, nil)
        var text = [CChar](repeating: 0, count: 512)
        guard let client = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, &text, text.count) else {
            rd_kafka_conf_destroy(configuration)
            let reason = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw Failure(description: "cannot make the broker: \(reason)")
        }
        guard let cluster = rd_kafka_mock_cluster_new(client, 1) else {
            rd_kafka_destroy(client)
            throw Failure(description: "cannot listen on 127.0.0.1")
        }
        self.client = client
        self.cluster = cluster
        bootstrapServers = String(cString: rd_kafka_mock_cluster_bootstraps(cluster))
        for topic in topics {
            let code = rd_kafka_mock_topic_create(cluster, topic.name, Int32(topic.partitions), 1)
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
                let reason = String(cString: rd_kafka_err2str(code))
                stop()
                throw Failure(description: "cannot make the topic \(topic.name): \(reason)")
            }
        }
    }

    deinit { stop() }

    /// Closes all connections and the port; what was stored is gone.
    func stop() {
        if isStopped { return }
        isStopped = true
        rd_kafka_mock_cluster_destroy(cluster)
        rd_kafka_destroy(client)
    }
}
