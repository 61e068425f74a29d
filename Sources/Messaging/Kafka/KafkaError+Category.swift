import CRdKafka

extension KafkaError {
    /// What the code means to a program. librdkafka 2.0.2 gives some outages the code of a refusal and some refusals that of an
    /// outage, so the text decides between these two.
    static func category(of code: rd_kafka_resp_err_t, _ message: String) -> Category {
        switch code {
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
            // With TLS 1.3 the brokers refuse a client's certificate after the handshake.
            return isTLSRefusal(message) ? .authentication : .unreachable
        case RD_KAFKA_RESP_ERR__SSL:
            return isTLSRefusal(message) ? .authentication : .unreachable
        case RD_KAFKA_RESP_ERR__AUTHENTICATION:
            return isBrokenConnection(message) ? .unreachable : .authentication
        case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM,
            RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
            return .authentication
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
            return .authorization
        case RD_KAFKA_RESP_ERR__RESOLVE, RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE,
            RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR__WAIT_COORD, RD_KAFKA_RESP_ERR__WAIT_CACHE,
            RD_KAFKA_RESP_ERR__NODE_UPDATE, RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
            return .unreachable
        case RD_KAFKA_RESP_ERR__QUEUE_FULL:
            return .queueFull
        default:
            return .other
        }
    }

    /// Whether the other side, or this one, said no to a certificate or to all versions and ciphers: OpenSSL's words for
    /// TLS alerts (RFC 8446, section 6) and for its own verification. A connection that ended or broke is none of these.
    private static func isTLSRefusal(_ message: String) -> Bool {
        let text = message.lowercased()
        if text.contains("certificate verify failed") || text.contains("no suitable signature") { return true }
        guard text.contains("alert") else { return false }
        let words = ["certificate", "unknown ca", "access denied", "handshake failure", "protocol version"]
        return words.contains { text.contains($0) }
    }

    /// A connection that ended in the middle of a SASL exchange, which librdkafka calls an error of authentication.
    private static func isBrokenConnection(_ message: String) -> Bool {
        let words = [
            "Broker transport failure", "Timed out", "timed out", "Connection refused",
            "Local: Broker handle destroyed",
        ]
        return (words + endings).contains { message.contains($0) }
    }

    /// What a connection is said to have met that the other side ended.
    private static let endings = ["Disconnected", "Connection reset", "Broken pipe"]

    /// With a word about what brokers that are spoken to in the wrong way do: they end the connection at once. librdkafka says
    /// it itself, but not where its next request finds the connection ended.
    var explainedAsAtStart: KafkaError {
        let words = Self.endings + ["Send failed", "Receive failed"]
        guard category == .unreachable, words.contains(where: message.contains), !message.contains("security.protocol")
        else { return self }
        var error = self
        error.message += ": if the brokers want TLS or SASL, or neither, set -X security.protocol accordingly"
        return error
    }

    /// Codes of the brokers that pass by themselves: what the Java client retries, and what brokers answer while others are
    /// down.
    static let retriable: Set<rd_kafka_resp_err_t> = [
        RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR_NOT_COORDINATOR, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT,
        RD_KAFKA_RESP_ERR_NOT_CONTROLLER, RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH,
        RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH, RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR_PREFERRED_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS,
        RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED, RD_KAFKA_RESP_ERR_UNKNOWN,
        // Fewer brokers are up than a new topic is to have replicas.
        RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR, RD_KAFKA_RESP_ERR__RETRY, RD_KAFKA_RESP_ERR__IN_PROGRESS,
    ]
}
