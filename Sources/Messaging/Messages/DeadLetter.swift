/// A request that finally failed, kept for people and for replay: the original record byte for byte, and why it failed in
/// headers. Where the original has headers of these names already, ours come after them, and the last counts.
public struct DeadLetter: Sendable, Equatable {
    public var failure: RequestFailure
    public var attempts: Int
    public var worker: String

    public init(failure: RequestFailure, attempts: Int, worker: String) {
        self.failure = failure
        self.attempts = attempts
        self.worker = worker
    }

    /// The record of the dead-letters topic.
    ///
    /// - Parameter maximumBytes: the topic's `max.message.bytes`. What does not fit goes without its value, told by
    ///   `kaption-value-omitted` (its size in bytes); if that is not enough, without its own headers and key too.
    public func record(for original: KafkaMessage, maximumBytes: Int) -> KafkaRecord {
        let ours = headers(for: original)
        let whole = KafkaRecord(key: original.key, value: original.value, headers: original.headers + ours)
        if whole.maximumByteCount <= maximumBytes { return whole }
        let omitted = ours + [KafkaHeader("kaption-value-omitted", text: String(original.value?.count ?? 0))]
        let withoutValue = KafkaRecord(key: original.key, value: nil, headers: original.headers + omitted)
        if withoutValue.maximumByteCount <= maximumBytes { return withoutValue }
        return KafkaRecord(
            key: nil, value: nil, headers: omitted + [KafkaHeader("kaption-headers-omitted", text: "true")])
    }

    private func headers(for original: KafkaMessage) -> [KafkaHeader] {
        [
            KafkaHeader("kaption-error-code", text: failure.code.rawValue),
            KafkaHeader("kaption-error-message", text: failure.message),
            KafkaHeader("kaption-original-topic", text: original.topic),
            KafkaHeader("kaption-original-partition", text: String(original.partition)),
            KafkaHeader("kaption-original-offset", text: String(original.offset)),
            KafkaHeader("kaption-original-timestamp", text: String(original.timestamp)),
            KafkaHeader("kaption-attempts", text: String(attempts)), KafkaHeader("kaption-worker", text: worker),
        ]
    }
}
