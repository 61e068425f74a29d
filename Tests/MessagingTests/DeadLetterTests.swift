import Testing

@testable import Messaging

@Suite struct DeadLetterTests {
    static let original = KafkaMessage(
        topic: "captions.requests", partition: 1, offset: 9, timestamp: 77, key: [1, 0, 255],
        value: [0xFF, 0x00, 0x7B],
        headers: [KafkaHeader("a", [0, 1]), KafkaHeader("a", nil), KafkaHeader("kaption-attempts", text: "9")])
    static let letter = DeadLetter(failure: RequestFailure(.requestMalformed, "no JSON"), attempts: 3, worker: "w")

    @Test func keepsTheOriginalByteForByte() {
        let record = Self.letter.record(for: Self.original, maximumBytes: 1 << 20)
        #expect(record.key == Self.original.key)
        #expect(record.value == Self.original.value)
        #expect(Array(record.headers.prefix(3)) == Self.original.headers)
        let ours = record.headers.dropFirst(3).map { "\($0.name)=\(String(decoding: $0.value ?? [], as: UTF8.self))" }
        #expect(
            ours == [
                "kaption-error-code=request_malformed", "kaption-error-message=no JSON",
                "kaption-original-topic=captions.requests",
                "kaption-original-partition=1", "kaption-original-offset=9", "kaption-original-timestamp=77",
                "kaption-attempts=3",
                "kaption-worker=w",
            ])
    }

    @Test func leavesOutWhatDoesNotFit() {
        var large = Self.original
        large.value = [UInt8](repeating: 1, count: 5000)
        let withoutValue = Self.letter.record(for: large, maximumBytes: 2000)
        #expect(withoutValue.value == nil)
        #expect(withoutValue.key == large.key)
        #expect(withoutValue.headers.last == KafkaHeader("kaption-value-omitted", text: "5000"))
        #expect(withoutValue.maximumByteCount <= 2000)
        large.headers = [KafkaHeader("h", [UInt8](repeating: 2, count: 5000))]
        let bare = Self.letter.record(for: large, maximumBytes: 2000)
        #expect(bare.value == nil && bare.key == nil)
        #expect(bare.headers.map(\.name).contains("kaption-headers-omitted"))
        #expect(bare.maximumByteCount <= 2000)
    }
}
