import CRdKafka

/// What librdkafka, a broker or this client reports. `category` is what a program decides by (exit codes, waiting or not);
/// `name` is librdkafka's short name of the code, e.g. `_TRANSPORT` or `TOPIC_AUTHORIZATION_FAILED`.
public struct KafkaError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Category: Sendable, Equatable {
        /// A property that librdkafka does not know, a value out of range, or one that may not be set: wrong usage.
        case configuration
        /// No broker answers (yet): an outage, a wrong address, a timeout. Waiting may help.
        case unreachable
        /// The password, certificate or token was refused. Waiting does not help.
        case authentication
        /// Known to the brokers, but an ACL is missing. Waiting does not help.
        case authorization
        /// The producer's local queue is full: try again when delivery reports have come.
        case queueFull
        /// Anything else.
        case other
    }

    /// librdkafka's number: negative for its own errors, positive for the brokers'.
    public var code: Int32
    public var name: String
    public var message: String
    public var category: Category
    /// The client cannot be used any more: make a new one.
    public var isFatal: Bool
    /// The same call may succeed later.
    public var isRetriable: Bool
    /// The open transaction has failed and must be aborted.
    public var requiresAbort = false
    /// The partition that it is about, where librdkafka tells.
    public var partition: TopicPartition?

    /// "Cannot reach or may not use Kafka": what the programs' exit code 3 stands for.
    public var isAccess: Bool { category == .unreachable || category == .authentication || category == .authorization }

    /// The brokers do not let this client in, or do not let it do what it wants: someone has to mend something.
    public var isRefusal: Bool { category == .authentication || category == .authorization }

    public var description: String {
        let place = partition.map { " (\($0))" } ?? ""
        return "\(name)\(place): \(message)"
    }
}

extension KafkaError {
    init(_ code: rd_kafka_resp_err_t, _ message: String? = nil, isFatal: Bool = false, partition: TopicPartition? = nil)
    {
        let message = message ?? String(cString: rd_kafka_err2str(code))
        let category = Self.category(of: code, message)
        self.init(
            code: code.rawValue, name: String(cString: rd_kafka_err2name(code)), message: message, category: category,
            isFatal: isFatal,
            isRetriable: !isFatal
                && (category == .unreachable || category == .queueFull || Self.retriable.contains(code)),
            partition: partition)
    }

    /// Takes over the error object that many calls of librdkafka return; nil for success.
    init?(consuming error: OpaquePointer?) {
        guard let error else { return nil }
        defer { rd_kafka_error_destroy(error) }
        self.init(
            rd_kafka_error_code(error), String(cString: rd_kafka_error_string(error)),
            isFatal: rd_kafka_error_is_fatal(error) != 0)
        if rd_kafka_error_is_retriable(error) != 0 { isRetriable = true }
        if rd_kafka_error_txn_requires_abort(error) != 0 {
            requiresAbort = true
            isRetriable = false
        }
    }

    static func configuration(_ message: String) -> KafkaError {
        var error = KafkaError(RD_KAFKA_RESP_ERR__INVALID_ARG, message)
        error.category = .configuration
        return error
    }

    static func timedOut(_ what: String) -> KafkaError { KafkaError(RD_KAFKA_RESP_ERR__TIMED_OUT, what) }

    /// The error for a call on a client that was closed.
    static var closed: KafkaError { KafkaError(RD_KAFKA_RESP_ERR__DESTROY, "the client is closed") }
}
