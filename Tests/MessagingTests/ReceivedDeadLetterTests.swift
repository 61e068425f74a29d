import Testing

@testable import Messaging

@Suite struct ReceivedDeadLetterTests {
    private static let original = KafkaMessage(
        topic: "captions.requests", partition: 1, offset: 9, timestamp: 77, key: [1, 0, 255], value: [0xFF, 0x00],
        headers: [KafkaHeader("a", [0, 1]), KafkaHeader("a", nil), KafkaHeader("kaption-mine", text: "stays")])

    private static func received(_ record: KafkaRecord) -> KafkaMessage {
        KafkaMessage(
            topic: "captions.dead-letters", partition: 0, offset: 4, timestamp: 99, key: record.key,
            value: record.value, headers: record.headers)
    }

    private static func letter(of original: KafkaMessage, maximumBytes: Int = 1 << 20) -> KafkaMessage {
        received(
            DeadLetter(failure: RequestFailure(.imageCorrupt, "cut"), attempts: 1, worker: "w")
                .record(for: original, maximumBytes: maximumBytes))
    }

    @Test func theRequestIsGivenBackAsItWas() throws {
        let letter = try #require(ReceivedDeadLetter(Self.letter(of: Self.original)))
        #expect(letter.code == "image_corrupt")
        #expect(letter.origin == CaptionResult.Source(Self.original))
        #expect(letter.omission == nil)
        #expect(letter.replay.key == Self.original.key)
        #expect(letter.replay.value == Self.original.value)
        let added = KafkaHeader("kaption-replay-of", text: "captions.requests:1:9:77")
        #expect(letter.replay.headers == Self.original.headers + [added])
    }

    /// One that failed again names the request that failed last.
    @Test func aSecondReplayReplacesTheFirstsMark() throws {
        let first = try #require(ReceivedDeadLetter(Self.letter(of: Self.original))).replay
        let again = KafkaMessage(
            topic: "captions.requests", partition: 0, offset: 20, timestamp: 200, key: first.key, value: first.value,
            headers: first.headers)
        let second = try #require(ReceivedDeadLetter(Self.letter(of: again)))
        #expect(second.replay.headers.filter { $0.name == "kaption-replay-of" }.count == 1)
        #expect(second.replay.headers.last == KafkaHeader("kaption-replay-of", text: "captions.requests:0:20:200"))
    }

    @Test func whatWasLeftOutIsTold() throws {
        var large = Self.original
        large.value = [UInt8](repeating: 1, count: 5000)
        let omitted = try #require(ReceivedDeadLetter(Self.letter(of: large, maximumBytes: 2000)))
        #expect(omitted.omission == "its value")
        large.headers = [KafkaHeader("h", [UInt8](repeating: 2, count: 5000))]
        let bare = try #require(ReceivedDeadLetter(Self.letter(of: large, maximumBytes: 2000)))
        #expect(bare.omission == "its value, key and headers")
    }

    @Test(
        arguments: [
            ("kaption-error-code", nil), ("kaption-error-code", "image not found"),
            ("kaption-error-code", "\u{1b}[31m"),
            ("kaption-original-topic", nil), ("kaption-original-topic", "a b"),
            ("kaption-original-topic", String(repeating: "x", count: 250)), ("kaption-original-partition", "-1"),
            ("kaption-original-partition", "9999999999"), ("kaption-original-offset", "x"),
            ("kaption-original-timestamp", ""),
        ] as [(String, String?)])
    func anythingElseIsNoDeadLetter(header: String, value: String?) {
        var message = Self.letter(of: Self.original)
        message.headers.removeAll { $0.name == header }
        if let value { message.headers.append(KafkaHeader(header, text: value)) }
        #expect(ReceivedDeadLetter(message) == nil)
    }

    @Test func onlyAShortMarkIsEchoed() {
        func replayOf(_ text: String) -> String? {
            var message = Self.original
            message.headers.append(KafkaHeader("kaption-replay-of", text: text))
            return CaptionRequest.replayOf(message)
        }
        #expect(CaptionRequest.replayOf(Self.original) == nil)
        #expect(replayOf("t:0:1:2") == "t:0:1:2")
        #expect(replayOf(String(repeating: "x", count: 513)) == nil)
    }
}
