import Foundation
import TestSupport
import Testing

@testable import Messaging

/// Requests that only a real broker answers.
@Suite(.enabled(if: KafkaLocal.isPresent)) struct KafkaAdminRequestTests {
    private let timeout = Duration.seconds(30)

    @Test func recordsBeforeAnOffsetAreDeleted() throws {
        let bench = try KafkaBench(.apache, partitions: 2)
        try bench.produce((0..<10).map { KafkaRecord(value: [UInt8($0)]) }, partition: 0)
        try bench.produce([KafkaRecord(value: [99])], partition: 1)
        let admin = try KafkaAdmin(bench.configuration)
        #expect(
            try admin.watermarks(of: bench.topic, timeout: timeout) == [
                bench.partition(0): 0..<10, bench.partition(1): 0..<1,
            ])
        let first = try admin.deleteRecords(
            before: [TopicPartitionOffset(bench.partition(0), offset: 7)], timeout: timeout)
        #expect(first == [TopicPartitionOffset(bench.partition(0), offset: 7)])
        #expect(
            try admin.watermarks(of: bench.topic, timeout: timeout) == [
                bench.partition(0): 7..<10, bench.partition(1): 0..<1,
            ])
        // What another client sees.
        if Kcat.isPresent {
            let left = try Kcat(bench.broker).records(of: bench.topic).filter { $0.partition == 0 }
            #expect(left.map(\.offset) == [7, 8, 9])
        }
        let error = #expect(throws: KafkaError.self) {
            try admin.deleteRecords(before: [TopicPartitionOffset(bench.partition(0), offset: 11)], timeout: timeout)
        }
        #expect(error?.name == "OFFSET_OUT_OF_RANGE")
        #expect(error?.partition == bench.partition(0))
        #expect(try admin.deleteRecords(before: [], timeout: timeout).isEmpty)
    }

    @Test func partitionsAreAdded() throws {
        let bench = try KafkaBench(.apache, partitions: 2)
        let admin = try KafkaAdmin(bench.configuration)
        try admin.createPartitions(of: bench.topic, total: 5, timeout: timeout)
        #expect(
            try eventually { try admin.metadata(timeout: timeout).partitionCounts[bench.topic] == 5 })
        let fewer = #expect(throws: KafkaError.self) {
            try admin.createPartitions(of: bench.topic, total: 3, timeout: timeout)
        }
        #expect(fewer?.name == "INVALID_PARTITIONS")
        #expect(fewer?.message.contains(bench.topic) == true)
        let missing = #expect(throws: KafkaError.self) {
            try admin.createPartitions(of: bench.topic + "-missing", total: 3, timeout: timeout)
        }
        #expect(missing?.name == "UNKNOWN_TOPIC_OR_PART")
    }

    @Test func aGroupsOffsetsAreRead() throws {
        let bench = try KafkaBench(.apache, partitions: 2)
        let admin = try KafkaAdmin(bench.configuration)
        let partitions = [bench.partition(0), bench.partition(1)]
        #expect(try admin.committedOffsets(ofGroup: bench.group, of: partitions, timeout: timeout).isEmpty)
        try bench.produce((0..<4).map { KafkaRecord(value: [UInt8($0)]) }, partition: 1)
        let consumer = try bench.consumer()
        let offset = TopicPartitionOffset(bench.partition(1), offset: 3)
        try consumer.assign([offset])
        try consumer.commit([offset], timeout: timeout)
        #expect(try admin.committedOffsets(ofGroup: bench.group, of: partitions, timeout: timeout) == [offset])
        #expect(consumer.close(deadline: .seconds(10)))
    }

    @Test func watermarksOfAMissingTopicAreAnError() throws {
        let bench = try KafkaBench(.apache, partitions: 1)
        let error = #expect(throws: KafkaError.self) {
            try KafkaAdmin(bench.configuration).watermarks(of: bench.topic + "-missing", timeout: timeout)
        }
        #expect(error?.name == "UNKNOWN_TOPIC_OR_PART")
    }
}
