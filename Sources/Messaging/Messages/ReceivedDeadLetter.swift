/// A record of the dead-letters topic, read back: what failed, and what to send to try it again.
public struct ReceivedDeadLetter: Sendable {
    /// `kaption-error-code`: one of `ErrorCode`, or of a later version's.
    public let code: String
    /// Where the failed request stood.
    public let origin: CaptionResult.Source
    /// What the dead letter does not hold of its request, so that it cannot be sent again; nil if all is there.
    public let omission: String?
    private let message: KafkaMessage

    /// nil for a record that is no dead letter: headers are missing or not of the contract's form.
    public init?(_ message: KafkaMessage) {
        guard let code = message.text(ofHeader: "kaption-error-code"), Self.isCode(code),
            let topic = message.text(ofHeader: "kaption-original-topic"), Self.isTopicName(topic),
            let partition = message.text(ofHeader: "kaption-original-partition").flatMap({ Int32($0) }), partition >= 0,
            let offset = message.text(ofHeader: "kaption-original-offset").flatMap({ Int64($0) }), offset >= 0,
            let timestamp = message.text(ofHeader: "kaption-original-timestamp").flatMap({ Int64($0) })
        else { return nil }
        self.code = code
        origin = .init(topic: topic, partition: partition, offset: offset, timestamp: timestamp)
        let names = Set(message.headers.map(\.name))
        omission =
            names.contains("kaption-headers-omitted")
            ? "its value, key and headers" : names.contains("kaption-value-omitted") ? "its value" : nil
        self.message = message
    }

    /// The failed request's id among all requests: the `ce_id` of its error result.
    public var replayOf: String { CloudEvent.id(for: origin) }

    /// The request as it was, with `kaption-replay-of` in place of the dead letter's own headers.
    public var replay: KafkaRecord {
        let headers = message.headers.filter { !Self.ownNames.contains($0.name) }
        return KafkaRecord(
            key: message.key, value: message.value,
            headers: headers + [KafkaHeader(CaptionRequest.replayHeader, text: replayOf)])
    }

    private static let ownNames: Set<String> = [
        "kaption-error-code", "kaption-error-message", "kaption-original-topic", "kaption-original-partition",
        "kaption-original-offset", "kaption-original-timestamp", "kaption-attempts", "kaption-worker",
        "kaption-value-omitted", "kaption-headers-omitted", CaptionRequest.replayHeader,
    ]

    private static func isCode(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && text.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == 0x5F }
    }

    /// Kafka's own rule for names of topics.
    private static func isTopicName(_ text: String) -> Bool {
        (1...249).contains(text.utf8.count)
            && text.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == 0x5F || $0 == 0x2E || $0 == 0x2D }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}

extension CaptionRequest {
    /// The header of a replayed request; its value comes back as the result's `replay_of`.
    public static let replayHeader = "kaption-replay-of"

    /// The longest id that a topic, partition, offset and timestamp make is 301 bytes; what is longer is none of ours.
    private static let longestReplayID = 512

    /// What a record of the requests topic is a replay of; nil if it is none.
    public static func replayOf(_ message: KafkaMessage) -> String? {
        message.text(ofHeader: replayHeader).flatMap { $0.utf8.count <= longestReplayID ? $0 : nil }
    }
}
