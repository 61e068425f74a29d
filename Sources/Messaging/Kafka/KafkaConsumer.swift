import CRdKafka

/// What one call of `KafkaConsumer.poll` brings.
public enum ConsumerEvent: Sendable {
    case message(KafkaMessage)
    /// All of a partition that was there has been read; only with `enable.partition.eof`.
    case partitionEnd(TopicPartitionOffset)
    /// Most errors are informational: librdkafka goes on by itself, e.g. when a broker is away. Those that the caller must
    /// act upon: `isFatal`; `isAuthentication…` categories; name `_AUTO_OFFSET_RESET`, with `partition`: there is no offset to
    /// start from, or it is out of range, and the partition stands still until `restart`.
    case error(KafkaError)
}

/// Called within `KafkaConsumer.poll` and `close`, on their thread. While a rebalance is answered librdkafka delivers
/// nothing of *any* partition, so an answer should be quick.
public protocol KafkaConsumerDelegate: AnyObject {
    /// Partitions were added. Returns offsets to start at; those left out start at their committed offset.
    /// The consumer may be asked for `committedOffsets` and `watermarks` here.
    func consumer(_ consumer: KafkaConsumer, assigned partitions: [TopicPartition]) -> [TopicPartitionOffset]
    /// Partitions are about to go to another member: commit what is done by `consumer.commit`, before this returns.
    func consumer(_ consumer: KafkaConsumer, revoked partitions: [TopicPartition])
    /// Partitions are already gone (session expired, fenced): drop everything of theirs, commit nothing.
    func consumer(_ consumer: KafkaConsumer, lost partitions: [TopicPartition])
    /// What became of a `commitAsync`.
    func consumer(_ consumer: KafkaConsumer, committed offsets: [TopicPartitionOffset], error: KafkaError?)
}

/// A member of a consumer group. It belongs to one thread: the one that polls it; hence it is not `Sendable`.
///
/// Defaults beneath the caller's properties: no auto-commit and no offset store, `auto.offset.reset=error`,
/// `isolation.level=read_committed`, metadata every 30 s (so that new partitions are noticed), cooperative-sticky
/// assignment, and `fetch.wait.max.ms=100`: a partition that is new or resumed is not asked for before the request under way,
/// which brokers hold for so long while none of its partitions has anything. Records are read one a call (batch calls lose
/// records around `pause` in librdkafka 2.0.2).
public final class KafkaConsumer {
    let handle: ClientHandle
    /// To be set before `subscribe`, if not given at the start.
    public weak var delegate: (any KafkaConsumerDelegate)?
    /// What is assigned to this member now.
    public internal(set) var assignment: Set<TopicPartition> = []
    private(set) var isSubscribed = false
    private(set) var isClosed = false
    /// Whether any assignment, be it an empty one, was ever received.
    var wasAssigned = false
    /// Where each partition's records are taken from, and what signals that there are any; see `take(from:)`.
    let arrivals: ArrivalSignal?
    var recordQueues: [TopicPartition: WatchedQueue] = [:]
    var eventQueue: WatchedQueue?
    let fetchWaker: FetchWaker
    private var lastTopic = ""

    static let defaults = [
        "enable.auto.commit": "false", "enable.auto.offset.store": "false", "auto.offset.reset": "error",
        "isolation.level": "read_committed", "topic.metadata.refresh.interval.ms": "30000",
        "partition.assignment.strategy": "cooperative-sticky", "allow.auto.create.topics": "false",
        "fetch.wait.max.ms": "100",
    ]

    /// - Parameters:
    ///   - groupID: the consumer group.
    ///   - instanceID: makes it a static member: a restart within `session.timeout.ms` causes no rebalance.
    ///   - properties: what this consumer must have whatever the configuration says, e.g. an `auto.offset.reset`.
    ///   - arrivals: with it, records are taken partition by partition (`take(from:)`) and `poll` gives none; it is
    ///     signalled when there is anything to take or to poll.
    /// - Throws: `KafkaError` of category `.configuration`. Brokers that cannot be reached are no error here.
    public init(
        _ configuration: KafkaConfiguration, groupID: String, instanceID: String? = nil,
        properties: [String: String] = [:], arrivals: ArrivalSignal? = nil,
        delegate: (any KafkaConsumerDelegate)? = nil
    ) throws {
        self.arrivals = arrivals
        var overrides = properties
        overrides["group.id"] = groupID
        if let instanceID { overrides["group.instance.id"] = instanceID }
        let native = try configuration.makeNative(defaults: Self.defaults, overrides: overrides)
        handle = try ClientHandle(RD_KAFKA_CONSUMER, native: native, configuration: configuration) { native in
            rd_kafka_conf_set_rebalance_cb(native, rebalanceCallback)
            Self.noteJoins(of: native)
        }
        fetchWaker = FetchWaker(handle)
        self.delegate = delegate
        rd_kafka_poll_set_consumer(handle.pointer)
        handle.context.consumer = self
        watchEvents()
    }

    /// Joins the group for these topics; partitions come by the delegate's `assigned`, within later calls of `poll`.
    public func subscribe(_ topics: [String]) throws {
        let list = PartitionList(topics.map { TopicPartition(topic: $0, partition: RD_KAFKA_PARTITION_UA) })
        try check(rd_kafka_subscribe(handle.pointer, list.pointer))
        isSubscribed = true
    }

    /// Reads partitions without a group's help, from the given offsets on.
    public func assign(_ offsets: [TopicPartitionOffset]) throws {
        let list = PartitionList(offsets)
        separate(offsets.map(\.partition))
        try check(rd_kafka_assign(handle.pointer, list.pointer))
        assignment = Set(offsets.map(\.partition))
        wasAssigned = true
    }

    /// Waits at most so long for one event. Rebalances, commits' outcomes and statistics are delivered within.
    public func poll(timeoutMilliseconds: Int) -> ConsumerEvent? {
        if let error = handle.context.takeError() { return .error(error) }
        if isClosed { return nil }
        guard let native = rd_kafka_consumer_poll(handle.pointer, Int32(clamping: timeoutMilliseconds)) else {
            return handle.context.takeError().map { .error($0) }
        }
        defer { rd_kafka_message_destroy(native) }
        return event(native, topic: topicName(of: native))
    }

    func event(_ native: UnsafePointer<rd_kafka_message_t>, topic: String) -> ConsumerEvent {
        switch native.pointee.err {
        case RD_KAFKA_RESP_ERR_NO_ERROR:
            return .message(KafkaMessage(copying: native, topic: topic))
        case RD_KAFKA_RESP_ERR__PARTITION_EOF:
            let partition = TopicPartition(topic: topic, partition: native.pointee.partition)
            return .partitionEnd(TopicPartitionOffset(partition, offset: native.pointee.offset))
        default:
            let error = KafkaError(failed: native)
            handle.context.notice(error)
            return .error(error)
        }
    }

    /// Leaves the group and ends the client: the delegate is asked for `revoked` once more.
    ///
    /// Closing can hang in librdkafka (brokers away, races of 2.0.2), so after `deadline` the client is left to itself: its
    /// threads stay until the process ends, the group finds out by `session.timeout.ms`.
    /// - Returns: whether it was closed in time.
    @discardableResult
    public func close(deadline: Duration) -> Bool {
        if isClosed { return true }
        let clock = ContinuousClock()
        let end = clock.now + deadline
        // A cooperative consumer that never got an assignment cannot be destroyed (librdkafka 2.0.2 asserts that there was
        // one): give it half of the time to get one.
        while isSubscribed, !wasAssigned, clock.now < end - deadline / 2 { _ = poll(timeoutMilliseconds: 50) }
        isClosed = true
        stopWatching()
        guard let queue = rd_kafka_queue_new(handle.pointer) else { return false }
        defer { rd_kafka_queue_destroy(queue) }
        if let error = KafkaError(consuming: rd_kafka_consumer_close_queue(handle.pointer, queue)) {
            handle.context.report(error)
        }
        while rd_kafka_consumer_closed(handle.pointer) == 0, clock.now < end {
            // Taken as events: records may still come here, and serving them by callbacks is an assertion of librdkafka's.
            guard let event = rd_kafka_queue_poll(queue, 20) else { continue }
            if rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE { rebalance(event) }
            rd_kafka_event_destroy(event)
        }
        let isDone = rd_kafka_consumer_closed(handle.pointer) != 0
        handle.isAbandoned = !isDone || (isSubscribed && !wasAssigned)
        assignment = []
        return isDone
    }

    deinit {
        stopWatching()
        handle.isAbandoned = handle.isAbandoned || !isClosed
    }

    func check(_ code: rd_kafka_resp_err_t) throws {
        if code == RD_KAFKA_RESP_ERR_NO_ERROR { return }
        let error = KafkaError(code)
        handle.context.notice(error)
        throw error
    }

    /// The topic's name, without making a new string as long as it is the same as before.
    private func topicName(of message: UnsafePointer<rd_kafka_message_t>) -> String {
        guard let topic = message.pointee.rkt, let name = rd_kafka_topic_name(topic) else { return "" }
        if !lastTopic.withCString({ $0.isEqual(to: name) }) { lastTopic = String(cString: name) }
        return lastTopic
    }
}

extension UnsafePointer<CChar> {
    fileprivate func isEqual(to other: UnsafePointer<CChar>) -> Bool {
        var index = 0
        while self[index] == other[index] {
            if self[index] == 0 { return true }
            index += 1
        }
        return false
    }
}
