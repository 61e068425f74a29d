import CRdKafka

/// Headers on their way to Kafka, as librdkafka keeps them: what is appended is copied once, and nothing else is allocated.
/// Moved, never copied; `KafkaProducer.produce` takes it.
public struct RecordHeaders: ~Copyable {
    /// nil while there are none.
    private var native: OpaquePointer?

    public init() {}

    public init(_ headers: [KafkaHeader]) {
        for header in headers { append(header) }
    }

    deinit {
        if let native { rd_kafka_headers_destroy(native) }
    }

    public mutating func append(_ header: KafkaHeader) {
        var name = header.name
        name.withUTF8 { name in
            if let value = header.value {
                value.withUnsafeBufferPointer { add(name, $0) }
            } else {
                add(name, nil)
            }
        }
    }

    mutating func append(_ name: StaticString, _ value: UnsafeBufferPointer<UInt8>) {
        add(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount), value)
    }

    mutating func append(_ name: StaticString, _ value: StaticString) {
        append(name, UnsafeBufferPointer(start: value.utf8Start, count: value.utf8CodeUnitCount))
    }

    /// - Parameter value: nil is Kafka's null.
    private mutating func add(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>?) {
        let list = native ?? rd_kafka_headers_new(8)
        native = list
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1) { empty in
            // A null pointer stands for a null value, and for a name without a length, so empty ones need an address.
            let start = name.baseAddress.map { UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self) }
            let bytes = value.map { UnsafeRawPointer($0.baseAddress) ?? UnsafeRawPointer(empty.baseAddress) }
            _ = rd_kafka_header_add(
                list, start ?? UnsafePointer(empty.baseAddress), name.count, bytes ?? nil, value?.count ?? 0)
        }
    }

    /// Hands the list over to librdkafka, which frees it if it takes the record.
    /// - Parameter body: whether librdkafka has taken it.
    consuming func handOver<Result>(_ body: (OpaquePointer?) -> (result: Result, isTaken: Bool)) -> Result {
        let (result, isTaken) = body(native)
        if isTaken { native = nil }
        return result
    }

    /// What was appended, in its order.
    var list: [KafkaHeader] { native.map { KafkaHeader.list(of: $0) } ?? [] }
}
