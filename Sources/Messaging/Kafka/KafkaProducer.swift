import CRdKafka
import Foundation
import Synchronization

/// What became of one produced record.
public struct DeliveryReport: Sendable, Equatable {
    /// What `produce` was given.
    public var token: UInt64
    public var partition: Int32
    /// Where the record is; −1 if it was not delivered.
    public var offset: Int64
    /// nil: all in-sync replicas have it. A purged record has a name that begins with `_PURGE`.
    public var error: KafkaError?
}

/// An idempotent producer. `produce` never blocks; every accepted record gets exactly one delivery report, on the
/// producer's own thread.
///
/// Defaults beneath the caller's properties: `enable.idempotence`, `acks=all`, a linger of 5 ms, and the partitioner
/// `murmur2_random`, so that one key goes to the same partition as from Java clients (librdkafka's own default differs).
/// With `message.timeout.ms=0` records wait as long as Kafka is away.
public final class KafkaProducer: Sendable {
    let handle: ClientHandle
    private let isClosed = Atomic(false)
    private let stop: StopSignal

    static let defaults = [
        "enable.idempotence": "true", "acks": "all", "partitioner": "murmur2_random", "linger.ms": "5",
        "topic.metadata.refresh.interval.ms": "30000",
    ]

    /// - Parameters:
    ///   - properties: what this producer must have whatever the configuration says, e.g. `message.timeout.ms`.
    ///   - onError: errors that belong to no record; most are informational, `isFatal` means that a new producer is needed.
    ///   - onBatchEnd: called on the producer's own thread when the records that were reported on together have had their
    ///     `onDelivery`: for what is cheaper to do for several at once.
    ///   - onDelivery: called for every record, on the producer's own thread; it should be quick.
    /// - Throws: `KafkaError` of category `.configuration`. Brokers that cannot be reached are no error here.
    public init(
        _ configuration: KafkaConfiguration, properties: [String: String] = [:],
        onError: @escaping @Sendable (KafkaError) -> Void = { _ in },
        onBatchEnd: @escaping @Sendable () -> Void = {},
        onDelivery: @escaping @Sendable (DeliveryReport) -> Void
    ) throws {
        let native = try configuration.makeNative(defaults: Self.defaults, overrides: properties)
        let handle = try ClientHandle(
            RD_KAFKA_PRODUCER, native: native, configuration: configuration,
            events: RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS)
        let stop = StopSignal()
        self.handle = handle
        self.stop = stop
        let loop = ProducerEventLoop(
            handle: handle, stop: stop, onError: onError, onBatchEnd: onBatchEnd, onDelivery: onDelivery)
        let thread = Thread { loop.run() }
        thread.name = "kafka-producer"
        thread.start()
    }

    /// The thread holds the client, not this object: it ends, and the client with it, when this goes.
    deinit { stop.request() }

    /// Enqueues one record; bytes are copied.
    ///
    /// - Parameters:
    ///   - partition: nil leaves it to the partitioner: by the key, or any without one.
    ///   - timestamp: milliseconds since 1970; nil for now.
    ///   - token: comes back in the delivery report.
    /// - Throws: `KafkaError`, and then no report follows. Category `.queueFull`: try again after some reports.
    public func produce(
        topic: String, partition: Int32? = nil, key: [UInt8]? = nil, value: [UInt8]?, headers: [KafkaHeader] = [],
        timestamp: Int64? = nil, token: UInt64 = 0
    ) throws {
        try produce(
            topic: topic, partition: partition, key: key, value: value, headers: RecordHeaders(headers),
            timestamp: timestamp, token: token)
    }

    /// Enqueues one record whose headers librdkafka has already.
    public func produce(
        topic: String, partition: Int32? = nil, key: [UInt8]? = nil, value: [UInt8]?, headers: consuming RecordHeaders,
        timestamp: Int64? = nil, token: UInt64 = 0
    ) throws {
        if isClosed.load(ordering: .acquiring) { throw KafkaError.closed }
        let code = headers.handOver { headers in
            let code = topic.withCString { topic in
                key.withBytes { keyStart, keyCount in
                    value.withBytes { valueStart, valueCount in
                        kaption_rdkafka_produce(
                            handle.pointer, topic, partition ?? RD_KAFKA_PARTITION_UA, keyStart, keyCount, valueStart,
                            valueCount, timestamp ?? 0, headers, UnsafeMutableRawPointer(bitPattern: UInt(token)))
                    }
                }
            }
            return (code, isTaken: code == RD_KAFKA_RESP_ERR_NO_ERROR)
        }
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
        let error = handle.fatalError ?? KafkaError(code)
        handle.context.notice(error)
        throw error
    }

    /// Enqueues one record.
    public func produce(
        _ record: KafkaRecord, topic: String, partition: Int32? = nil, timestamp: Int64? = nil, token: UInt64 = 0
    ) throws {
        try produce(
            topic: topic, partition: partition, key: record.key, value: record.value, headers: record.headers,
            timestamp: timestamp, token: token)
    }

    /// Learns where a topic's partitions are, so that its first record need not wait for that (up to a second in librdkafka
    /// 2.0.2). Brokers that do not answer in time are no error: records wait for them anyway. It blocks.
    public func learnPartitions(of topic: String, timeout: Duration) {
        handle.requestMetadata(ofTopic: topic, timeout: timeout)
    }

    /// Records that were accepted and have no report yet.
    public var outstandingCount: Int { Int(rd_kafka_outq_len(handle.pointer)) }

    /// Waits until every accepted record has its report.
    ///
    /// - Returns: whether that came to pass in time. It blocks, so never call it on Swift's cooperative pool.
    @discardableResult
    public func flush(timeout: Duration) -> Bool {
        rd_kafka_flush(handle.pointer, timeout.milliseconds) == RD_KAFKA_RESP_ERR_NO_ERROR
    }

    /// Gives up every record that has no report yet: each gets one with the error `_PURGE_QUEUE` or `_PURGE_INFLIGHT`.
    public func purge() { rd_kafka_purge(handle.pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT) }

    /// Takes no more records, waits for the reports of those accepted, and purges what has none by the deadline.
    /// Reports are done when this returns. It blocks, so never call it on Swift's cooperative pool.
    ///
    /// - Returns: whether every record had its report without a purge.
    @discardableResult
    public func close(deadline: Duration) -> Bool {
        if isClosed.exchange(true, ordering: .acquiringAndReleasing) { return true }
        let isDone = flush(timeout: deadline)
        if !isDone {
            purge()
            flush(timeout: .seconds(1))
        }
        stop.request()
        stop.waitUntilDone(timeout: .seconds(1))
        return isDone
    }

    /// Makes the producer fail for good, to test what its user does then.
    public func failForTesting() {
        rd_kafka_test_fatal_error(handle.pointer, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "provoked by a test")
    }

    /// What the producer failed for, if it is beyond use: make a new one and produce again what has no report.
    public var fatalError: KafkaError? { handle.fatalError }
}

extension [UInt8]? {
    /// Start and length for the C shim: a length of −1 stands for null.
    fileprivate func withBytes<Result>(_ body: (UnsafeRawPointer?, Int) -> Result) -> Result {
        guard let self else { return body(nil, -1) }
        return self.withUnsafeBytes { body($0.baseAddress, $0.count) }
    }
}
