import Foundation
import TestSupport
import Testing

@testable import Messaging

/// kcat as the peer that we did not write.
@Suite(.enabled(if: ChildProcess.installed("kcat") != nil, "kcat is not installed")) struct KcatTests {
    @discardableResult
    static func kcat(_ arguments: [String], input: String = "") throws -> String {
        let program = try #require(ChildProcess.installed("kcat"))
        return String(decoding: try ChildProcess.run(program, arguments, input: Data(input.utf8)), as: UTF8.self)
    }

    @Test(arguments: BrokerKind.available) func whatKcatSendsIsARequest(kind: BrokerKind) throws {
        let bench = try KafkaBench(kind, partitions: 1)
        let target = ["-b", bench.broker.bootstrapServers, "-t", bench.topic]
        try Self.kcat(["-P", "-p", "0", "-H", "traceparent=00-1", "-H", "x=1"] + target, input: "a.jpg\nsub/b.jpg\n")
        try Self.kcat(
            ["-P", "-p", "0", "-K", "|", "-Z"] + target, input: "key|{\"image\":\"c.jpg\",\"id\":\"i\"}\nnone|\n")
        let consumer = try bench.consumer()
        try consumer.assign([TopicPartitionOffset(bench.partition(0), offset: 0)])
        let messages = bench.read(consumer, count: 4)
        let parsed = messages.map { CaptionRequest.parse($0) }
        #expect(parsed.prefix(3).map(\.request.image) == ["a.jpg", "sub/b.jpg", "c.jpg"])
        #expect(parsed.prefix(3).allSatisfy { $0.failure == nil })
        #expect(parsed[2].request.id == "i")
        #expect(messages[0].headers == [KafkaHeader("traceparent", text: "00-1"), KafkaHeader("x", text: "1")])
        #expect(messages[2].key == Array("key".utf8))
        #expect(messages[3].value == nil)
        #expect(parsed[3].failure?.code == .requestMalformed)
        #expect(consumer.close(deadline: .seconds(10)))
    }

    @Test(arguments: BrokerKind.available) func kcatReadsWhatWeSend(kind: BrokerKind) throws {
        let bench = try KafkaBench(kind, partitions: 2)
        let result = CaptionResultTests.full
        let request = KafkaMessage(
            topic: bench.topic, partition: 0, offset: 1, timestamp: 2, key: Array("k".utf8), value: nil,
            headers: [KafkaHeader("traceparent", text: "00-9")])
        try bench.produce([result.record(answering: request, clusterID: "c"), KafkaRecord(value: nil)], partition: 1)
        let text = try Self.kcat([
            "-C", "-q", "-e", "-o", "beginning", "-p", "1", "-b", bench.broker.bootstrapServers, "-t", bench.topic,
            "-f",
            "%p|%o|%k|%h|%S|%s\\n",
        ])
        let lines = text.split(separator: "\n")
        let json = String(decoding: result.encoded(), as: UTF8.self)
        let headers =
            "ce_specversion=1.0,ce_type=kaption.caption.v1,ce_source=kafka://c/captions.requests,"
            + "ce_id=captions.requests:3:42:1769860800000,content-type=application/json,traceparent=00-9"
        #expect(lines.first.map(String.init) == "1|0|k|\(headers)|\(json.utf8.count)|\(json)")
        #expect(lines.last.map(String.init) == "1|1|||-1|")
    }
}
