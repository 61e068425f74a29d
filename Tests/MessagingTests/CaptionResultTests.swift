import Foundation
import TestSupport
import Testing

@testable import Messaging

@Suite struct CaptionResultTests {
    static var full: CaptionResult {
        let request = CaptionRequest(
            id: "id\"\\/\u{8}\u{c}\n\r\t\u{0}\u{1f}é😀", image: "dir/ä.jpg", batch: "night",
            metadata: Array(#"{ "k":1.50 }"#.utf8))
        var result = CaptionResult(
            request: request,
            source: .init(topic: "captions.requests", partition: 3, offset: 42, timestamp: 1_769_860_800_000),
            worker: "w-1",
            attempts: 2, caption: "a dog runs through the snow")
        result.candidates = [
            .init(caption: "a dog runs through the snow", logProbability: -9.1, score: -0.91),
            .init(caption: "a \"dog\"", logProbability: -1.0e-7, score: -3.4028235e38),
        ]
        result.model = .init(name: "kaption-small", version: "1", digest: "sha256:00", precision: "fp32")
        result.timings.queue = 12.1
        result.timings.fetch = 0.2
        result.timings.decode = 0.0004
        result.timings.encode = 5
        result.timings.caption = 2.0625
        result.timings.total = 20.3
        result.timings.batch = 4
        result.replayOf = "captions.requests:1:2:3"
        return result
    }

    @Test func fieldsStandInTheContractsOrder() {
        var result = Self.full
        result.id = "i"
        result.candidates = [.init(caption: "c", logProbability: -9.1, score: -0.91)]
        let expected =
            #"{"id":"i","image":"dir/ä.jpg","status":"ok","caption":"a dog runs through the snow","#
            + #""candidates":[{"caption":"c","log_probability":-9.1,"score":-0.91}],"#
            + #""model":{"name":"kaption-small","version":"1","digest":"sha256:00","precision":"fp32"},"#
            + #""timings_ms":{"queue":12.1,"fetch":0.2,"decode":0,"encode":5,"caption":2.063,"total":20.3,"batch":4},"#
            + #""source":{"topic":"captions.requests","partition":3,"offset":42,"timestamp":"2026-01-31T12:00:00.000Z"},"#
            + #""worker":"w-1","attempts":2,"batch":"night","metadata":{ "k":1.50 },"replay_of":"captions.requests:1:2:3"}"#
        #expect(String(decoding: result.encoded(), as: UTF8.self) == expected)
    }

    @Test func foundationReadsTheSame() throws {
        let result = Self.full
        let object = try #require(try JSONSerialization.jsonObject(with: Data(result.encoded())) as? [String: Any])
        #expect(object["id"] as? String == result.id)
        #expect(object["image"] as? String == result.image)
        let candidates = try #require(object["candidates"] as? [[String: Any]])
        for (read, written) in zip(candidates, result.candidates) {
            #expect(read["caption"] as? String == written.caption)
            #expect((read["log_probability"] as? NSNumber)?.floatValue == written.logProbability)
            #expect((read["score"] as? NSNumber)?.floatValue == written.score)
        }
    }

    @Test func whatIsWrittenIsReadBack() throws {
        var result = Self.full
        result.timings.decode = 0
        result.timings.caption = 2.063
        #expect(try CaptionResult(decoding: result.encoded()) == result)
        var failed = result
        failed.caption = nil
        failed.candidates = []
        failed.failure = RequestFailure(.imageCorrupt, "the \"JPEG\" ends early")
        failed.model = nil
        failed.metadata = nil
        failed.batch = nil
        failed.replayOf = nil
        failed.source.timestamp = -1
        #expect(try CaptionResult(decoding: failed.encoded()) == failed)
    }

    @Test func anErrorHasNoCaption() throws {
        var result = Self.full
        result.failure = RequestFailure(.imageNotFound, "no such file")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(result.encoded())) as? [String: Any])
        #expect(object["status"] as? String == "error")
        #expect(object["caption"] == nil && object["candidates"] == nil)
        #expect(object["error"] as? [String: String] == ["code": "image_not_found", "message": "no such file"])
    }

    @Test func everyFloatIsReadBackAsItself() throws {
        var generator = SeededGenerator(11)
        for _ in 0..<5000 {
            let value = Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &generator))
            var writer = JSONWriter()
            writer.number(value)
            let text = String(decoding: writer.bytes, as: UTF8.self)
            #expect(JSONScannerTests.accepts(writer.bytes))
            if value.isFinite { #expect(Float(text) == value) } else { #expect(text == "null") }
        }
    }

    @Test func everyStringIsReadBackAsItself() throws {
        var generator = SeededGenerator(12)
        for _ in 0..<3000 {
            let scalars = (0..<Int.random(in: 0...12, using: &generator)).compactMap { _ in
                Unicode.Scalar(
                    UInt32.random(in: 0...(Bool.random(using: &generator) ? 0x7F : 0x10FFFF), using: &generator))
            }
            var text = ""
            text.unicodeScalars.append(contentsOf: scalars)
            var writer = JSONWriter()
            writer.string(text)
            let read = try JSONDecoder().decode(String.self, from: Data(writer.bytes))
            #expect(Array(read.unicodeScalars) == scalars)
        }
    }

    @Test(arguments: [
        (0.0, "0"), (1.0, "1"), (0.001, "0.001"), (0.0004, "0"), (0.0005, "0.001"), (12.34, "12.34"),
        (999.9996, "1000"),
        (-3.0, "0"), (.nan, "0"), (.infinity, "0"), (1e18, "1000000000000"),
    ])
    func milliseconds(value: Double, text: String) {
        var writer = JSONWriter()
        writer.milliseconds(value)
        #expect(String(decoding: writer.bytes, as: UTF8.self) == text)
    }

    @Test func theRecordCarriesKeyAndHeaders() {
        let request = KafkaMessage(
            topic: "captions.requests", partition: 3, offset: 42, timestamp: 1_769_860_800_000, key: Array("k".utf8),
            value: [],
            headers: [
                KafkaHeader("traceparent", text: "00-a-b-01"), KafkaHeader("x", nil), KafkaHeader("x", []),
                KafkaHeader("ce_id", text: "theirs"),
                KafkaHeader("Content-Type", text: "text/plain"), KafkaHeader("kaption-replay-of", text: "z"),
                KafkaHeader("CE_type", text: "t"),
            ])
        let record = Self.full.record(answering: request, clusterID: "cid")
        #expect(record.key == Array("k".utf8))
        #expect(record.value == Self.full.encoded())
        #expect(
            record.headers == [
                KafkaHeader("ce_specversion", text: "1.0"), KafkaHeader("ce_type", text: "kaption.caption.v1"),
                KafkaHeader("ce_source", text: "kafka://cid/captions.requests"),
                KafkaHeader("ce_id", text: "captions.requests:3:42:1769860800000"),
                KafkaHeader("content-type", text: "application/json"),
                KafkaHeader("traceparent", text: "00-a-b-01"), KafkaHeader("x", nil), KafkaHeader("x", []),
            ])
        var keyless = request
        keyless.key = nil
        keyless.headers.append(KafkaHeader("large", [UInt8](repeating: 0, count: 40_000)))
        let bare = Self.full.record(answering: keyless, clusterID: "cid")
        #expect(bare.key == nil)
        #expect(bare.headers.count == 5)
    }

    @Test func whatIsNoResultIsRefused() {
        for text in ["", "{}", "[]", "null", "{\"id\":1}", "{", #"{"id":"a","image":"b","status":"odd"}"#] {
            #expect(throws: (any Error).self) { try CaptionResult(decoding: Array(text.utf8)) }
        }
    }
}
