/// A partition of a topic.
public struct TopicPartition: Sendable, Hashable, Comparable, CustomStringConvertible {
    public var topic: String
    public var partition: Int32

    public init(topic: String, partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    public var description: String { "\(topic)[\(partition)]" }

    public static func < (a: TopicPartition, b: TopicPartition) -> Bool {
        (a.topic, a.partition) < (b.topic, b.partition)
    }
}

/// An offset in a partition. Where it is committed or sought, it is the offset of the *next* record to read.
public struct TopicPartitionOffset: Sendable, Hashable, CustomStringConvertible {
    public var partition: TopicPartition
    public var offset: Int64

    public init(_ partition: TopicPartition, offset: Int64) {
        self.partition = partition
        self.offset = offset
    }

    /// The first record there is, wherever an offset to start at is given.
    public static let beginning: Int64 = -2

    public var description: String { "\(partition)@\(offset)" }
}

/// One header of a record. Kafka keeps them in order and allows a name more than once, and a null value.
public struct KafkaHeader: Sendable, Hashable {
    public var name: String
    public var value: [UInt8]?

    public init(_ name: String, _ value: [UInt8]?) {
        self.name = name
        self.value = value
    }

    /// A header whose value is text.
    public init(_ name: String, text: String) { self.init(name, Array(text.utf8)) }
}

/// One record read from Kafka; all bytes are copies.
public struct KafkaMessage: Sendable, Equatable {
    public var topic: String
    public var partition: Int32
    public var offset: Int64
    /// Milliseconds since 1970; −1 where the record has none.
    public var timestamp: Int64
    public var key: [UInt8]?
    public var value: [UInt8]?
    public var headers: [KafkaHeader]
    /// librdkafka could not read the headers (it takes 100,000 at most): `headers` is empty then.
    public var hasUnreadableHeaders = false

    public init(
        topic: String, partition: Int32, offset: Int64, timestamp: Int64, key: [UInt8]? = nil, value: [UInt8]? = nil,
        headers: [KafkaHeader] = []
    ) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.headers = headers
    }

    public var topicPartition: TopicPartition { TopicPartition(topic: topic, partition: partition) }

    /// What it takes in memory, roughly: what a window that is bounded by bytes counts. A header takes some even if it is empty.
    public var byteCount: Int {
        (key?.count ?? 0) + (value?.count ?? 0) + headersByteCount + headers.count * 64
    }

    /// Names and values of all headers.
    public var headersByteCount: Int {
        headers.reduce(0) { $0 + $1.name.utf8.count + ($1.value?.count ?? 0) }
    }

    /// The last header of this name (Kafka's rule where a name comes more than once), as text if it is UTF-8.
    public func text(ofHeader name: String) -> String? {
        headers.last { $0.name == name }?.value.flatMap { String(validating: $0, as: UTF8.self) }
    }
}

/// One record to be produced: everything but where it goes.
public struct KafkaRecord: Sendable, Equatable {
    public var key: [UInt8]?
    public var value: [UInt8]?
    public var headers: [KafkaHeader]

    public init(key: [UInt8]? = nil, value: [UInt8]?, headers: [KafkaHeader] = []) {
        self.key = key
        self.value = value
        self.headers = headers
    }

    /// At most what the record takes in a batch of its own: what a topic's `max.message.bytes` is compared with.
    public var maximumByteCount: Int {
        // 61 bytes of batch header, at most 45 of record header, at most 10 for the two lengths of each header.
        106 + (key?.count ?? 0) + (value?.count ?? 0)
            + headers.reduce(0) { $0 + 10 + $1.name.utf8.count + ($1.value?.count ?? 0) }
    }
}
