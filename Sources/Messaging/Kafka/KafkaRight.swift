/// One right that a program needs of Kafka: an operation on a resource, as an ACL grants it.
public enum KafkaRight: Sendable, Hashable, CustomStringConvertible {
    case readTopic(String)
    case writeTopic(String)
    case createTopic(String)
    case readGroup(String)
    case useTransactionalID(String)

    public var description: String {
        switch self {
        case .readTopic(let name): "Read topic \(name)"
        case .writeTopic(let name): "Write topic \(name)"
        case .createTopic(let name): "Create topic \(name)"
        case .readGroup(let name): "Read group \(name)"
        case .useTransactionalID(let name): "Write and Describe transactional id \(name)"
        }
    }

    /// The words of `kafka-acls` that grant it.
    var arguments: String {
        switch self {
        case .readTopic(let name): "--operation Read --topic \(name)"
        case .writeTopic(let name): "--operation Write --topic \(name)"
        case .createTopic(let name): "--operation Create --topic \(name)"
        case .readGroup(let name): "--operation Read --group \(name)"
        case .useTransactionalID(let name): "--operation Write --operation Describe --transactional-id \(name)"
        }
    }

    /// The same right to another topic.
    func naming(_ topic: String?) -> KafkaRight {
        guard let topic else { return self }
        return switch self {
        case .readTopic: .readTopic(topic)
        case .writeTopic: .writeTopic(topic)
        case .createTopic: .createTopic(topic)
        case .readGroup, .useTransactionalID: self
        }
    }

    var topic: String? {
        switch self {
        case .readTopic(let name), .writeTopic(let name), .createTopic(let name): name
        case .readGroup, .useTransactionalID: nil
        }
    }
}
