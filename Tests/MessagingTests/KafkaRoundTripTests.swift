import Foundation
import TestSupport
import Testing

@testable import Messaging

/// What holds on the embedded broker and on a real one alike: each test runs on both.
@Suite struct KafkaRoundTripTests {
    @Test(arguments: BrokerKind.available) func recordsComeBackAsTheyWere(kind: BrokerKind) throws {
        let bench = try KafkaBench(kind, partitions: 2)
        let headers = [
            KafkaHeader("traceparent", text: "00-1-2-01"), KafkaHeader("null", nil), KafkaHeader("empty", []),
            KafkaHeader("twice", [0, 255]),
            KafkaHeader("twice", text: "ü"),
        ]
        let records = [
            KafkaRecord(key: Array("k".utf8), value: Array("v".utf8), headers: headers),
            KafkaRecord(key: nil, value: nil),
            KafkaRecord(key: [], value: []), KafkaRecord(key: [0, 255], value: [UInt8](repeating: 7, count: 200_000)),
        ]
        let reports = try bench.produce(records, partition: 1, timestamp: 1_769_860_800_123)
        #expect(reports.map(\.token) == [0, 1, 2, 3])
        #expect(reports.allSatisfy { $0.error == nil && $0.partition == 1 })

        let consumer = try bench.consumer()
        try consumer.assign([TopicPartitionOffset(bench.partition(1), offset: 0)])
        let messages = bench.read(consumer, count: records.count)
        #expect(messages.map(\.offset) == reports.map(\.offset))
        #expect(messages.map(\.key) == records.map(\.key))
        #expect(messages.map(\.value) == records.map(\.value))
        #expect(messages.map(\.headers) == records.map(\.headers))
        #expect(
            messages.allSatisfy { $0.topic == bench.topic && $0.partition == 1 && $0.timestamp == 1_769_860_800_123 })
        #expect(consumer.close(deadline: .seconds(10)))
    }

    @Test(arguments: BrokerKind.available) func aGroupGoesOnWhereItCommitted(kind: BrokerKind) throws {
        let bench = try KafkaBench(kind, partitions: 1)
        try bench.produce((0..<10).map { KafkaRecord(value: [UInt8($0)]) }, partition: 0)
        let follower = Follower(startAtLow: true)
        let first = try bench.consumer(delegate: follower)
        try first.subscribe([bench.topic])
        #expect(bench.read(first, count: 6).map(\.offset) == [0, 1, 2, 3, 4, 5])
        try first.commit([TopicPartitionOffset(bench.partition(0), offset: 3)], timeout: .seconds(10))
        try first.commitAsync([TopicPartitionOffset(bench.partition(0), offset: 4)])
        #expect(
            eventually {
                _ = first.poll(timeoutMilliseconds: 10)
                return !follower.commits.isEmpty
            })
        #expect(follower.commits == [[TopicPartitionOffset(bench.partition(0), offset: 4)]])
        #expect(first.close(deadline: .seconds(10)))
        #expect(follower.revoked == [bench.partition(0)])

        let second = try bench.consumer(delegate: Follower())
        try second.subscribe([bench.topic])
        #expect(bench.read(second, count: 6).map(\.offset) == [4, 5, 6, 7, 8, 9])
        #expect(try second.committedOffsets(of: [bench.partition(0)], timeout: .seconds(10)).map(\.offset) == [4])
        #expect(try second.watermarks(of: bench.partition(0), timeout: .seconds(10)) == 0..<10)
        #expect(second.close(deadline: .seconds(10)))
    }

    /// Without a committed offset nothing is read and nothing skipped: the error names the partition, and a restart helps.
    @Test(arguments: BrokerKind.available, ["cooperative-sticky", "range"])
    func aMissingOffsetIsAnErrorUntilARestart(kind: BrokerKind, assignor: String) throws {
        var bench = try KafkaBench(kind, partitions: 1)
        bench.configuration.set("partition.assignment.strategy", assignor)
        try bench.produce([KafkaRecord(value: [1]), KafkaRecord(value: [2])], partition: 0)
        let consumer = try bench.consumer(delegate: Follower())
        try consumer.subscribe([bench.topic])
        var failure: KafkaError?
        #expect(
            eventually {
                switch consumer.poll(timeoutMilliseconds: 50) {
                case .error(let error) where error.name == "_AUTO_OFFSET_RESET": failure = error
                case .message: Issue.record("nothing may be read without an offset")
                default: break
                }
                return failure != nil
            })
        #expect(failure?.partition == bench.partition(0))
        try consumer.restart(bench.partition(0), at: 1)
        #expect(bench.read(consumer, count: 1).map(\.offset) == [1])
        #expect(consumer.close(deadline: .seconds(10)))
    }

    @Test(arguments: BrokerKind.available) func theEndOfAPartitionIsTold(kind: BrokerKind) throws {
        let bench = try KafkaBench(kind, partitions: 1)
        try bench.produce([KafkaRecord(value: [1])], partition: 0)
        let consumer = try KafkaConsumer(
            bench.configuration, groupID: bench.group, properties: ["enable.partition.eof": "true"])
        try consumer.assign([TopicPartitionOffset(bench.partition(0), offset: 0)])
        var end: TopicPartitionOffset?
        #expect(
            eventually {
                if case .partitionEnd(let place) = consumer.poll(timeoutMilliseconds: 50) { end = place }
                return end != nil
            })
        #expect(end == TopicPartitionOffset(bench.partition(0), offset: 1))
        #expect(consumer.close(deadline: .seconds(10)))
    }
}
