import CRdKafka

/// Grants and takes away rights on a broker with an authorizer, by librdkafka's own admin calls: as a super user, through a
/// listener that knows its clients as one. (librdkafka 2.0.2 knows no ACLs of transactional ids: `SecuredKafka` has a way.)
public struct AccessControl: Sendable {
    /// One ACL for one user.
    public struct Entry: Sendable, Hashable, CustomStringConvertible {
        public enum Resource: Sendable, Hashable {
            case topic(String)
            case group(String)
            case cluster
            /// All groups whose name begins so.
            case groups(String)
        }

        public enum Operation: String, Sendable {
            case read, write, create, describe, idempotentWrite
        }

        public var operation: Operation
        public var resource: Resource

        public init(_ operation: Operation, _ resource: Resource) {
            self.operation = operation
            self.resource = resource
        }

        public var description: String { "\(operation) \(resource)" }
    }

    public struct Refused: Error, CustomStringConvertible {
        public let description: String
    }

    private let bootstrapServers: String

    public init(bootstrapServers: String) { self.bootstrapServers = bootstrapServers }

    public func grant(_ entries: [Entry], to user: String) throws {
        for entry in entries {
            let parts = Self.parts(of: entry)
            let binding = rd_kafka_AclBinding_new(
                parts.type, parts.name, parts.pattern, "User:\(user)", "*", parts.operation,
                RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, nil, 0)
            defer { rd_kafka_AclBinding_destroy(binding) }
            var bindings: [OpaquePointer?] = [binding]
            try perform(RD_KAFKA_ADMIN_OP_CREATEACLS) { client, options, queue in
                rd_kafka_CreateAcls(client, &bindings, 1, options, queue)
            }
        }
    }

    public func take(_ entries: [Entry], from user: String) throws {
        for entry in entries {
            let parts = Self.parts(of: entry)
            let filter = rd_kafka_AclBindingFilter_new(
                parts.type, parts.name, parts.pattern, "User:\(user)", "*", parts.operation,
                RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, nil, 0)
            defer { rd_kafka_AclBinding_destroy(filter) }
            var filters: [OpaquePointer?] = [filter]
            try perform(RD_KAFKA_ADMIN_OP_DELETEACLS) { client, options, queue in
                rd_kafka_DeleteAcls(client, &filters, 1, options, queue)
            }
        }
    }

    private func perform(
        _ operation: rd_kafka_admin_op_t, _ send: (OpaquePointer, OpaquePointer?, OpaquePointer?) -> Void
    ) throws {
        let configuration = rd_kafka_conf_new()
        rd_kafka_conf_set(configuration, "bootstrap.servers", bootstrapServers, nil, 0)
        guard let client = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, nil, 0) else {
            throw Refused(description: "no client")
        }
        defer { rd_kafka_destroy(client) }
        let options = rd_kafka_AdminOptions_new(client, operation)
        defer { rd_kafka_AdminOptions_destroy(options) }
        let queue = rd_kafka_queue_new(client)
        defer { rd_kafka_queue_destroy(queue) }
        send(client, options, queue)
        guard let event = rd_kafka_queue_poll(queue, 30_000) else { throw Refused(description: "no answer") }
        defer { rd_kafka_event_destroy(event) }
        if rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR {
            throw Refused(description: String(cString: rd_kafka_event_error_string(event)))
        }
        var count = 0
        if let result = rd_kafka_event_CreateAcls_result(event) {
            let results = rd_kafka_CreateAcls_result_acls(result, &count)
            for result in UnsafeBufferPointer(start: results, count: count) {
                if let error = rd_kafka_acl_result_error(result) {
                    throw Refused(description: String(cString: rd_kafka_error_string(error)))
                }
            }
        }
    }

    private static func parts(of entry: Entry) -> (
        type: rd_kafka_ResourceType_t, name: String, pattern: rd_kafka_ResourcePatternType_t,
        operation: rd_kafka_AclOperation_t
    ) {
        let operation =
            switch entry.operation {
            case .read: RD_KAFKA_ACL_OPERATION_READ
            case .write: RD_KAFKA_ACL_OPERATION_WRITE
            case .create: RD_KAFKA_ACL_OPERATION_CREATE
            case .describe: RD_KAFKA_ACL_OPERATION_DESCRIBE
            case .idempotentWrite: RD_KAFKA_ACL_OPERATION_IDEMPOTENT_WRITE
            }
        let literal = RD_KAFKA_RESOURCE_PATTERN_LITERAL
        return switch entry.resource {
        case .topic(let name): (RD_KAFKA_RESOURCE_TOPIC, name, literal, operation)
        case .group(let name): (RD_KAFKA_RESOURCE_GROUP, name, literal, operation)
        case .groups(let prefix): (RD_KAFKA_RESOURCE_GROUP, prefix, RD_KAFKA_RESOURCE_PATTERN_PREFIXED, operation)
        case .cluster: (RD_KAFKA_RESOURCE_BROKER, "kafka-cluster", literal, operation)
        }
    }
}
