import Foundation
import TestSupport
import Testing

@testable import Messaging

@Suite(
    "Transactions on Apache Kafka", .serialized,
    .enabled(if: KafkaLocal.isPresent, "needs a real Kafka, in the folder shared/ beside this one"))
struct KafkaTransactionTests {
    private func producer(_ bench: KafkaBench, id: String = UUID().uuidString) throws -> KafkaProducer {
        let producer = try KafkaProducer(
            bench.configuration, properties: ["transactional.id": id, "transaction.timeout.ms": "10000"],
            onDelivery: { _ in })
        try producer.initializeTransactions(timeout: .seconds(30))
        return producer
    }

    private func joined(_ bench: KafkaBench) throws -> KafkaConsumer {
        let consumer = try bench.consumer()
        try consumer.subscribe([bench.topic])
        let isMember = eventually(within: .seconds(30)) {
            _ = consumer.poll(timeoutMilliseconds: 50)
            return consumer.member.metadata() != nil && !consumer.assignment.isEmpty
        }
        #expect(isMember)
        return consumer
    }

    @Test("what is committed is read, with its offsets; what is aborted is not")
    func commitAndAbort() throws {
        let bench = try KafkaBench(.apache, partitions: 1)
        let consumer = try joined(bench)
        let producer = try producer(bench)
        for (text, isCommitted) in [("one", true), ("two", false), ("three", true)] {
            try producer.beginTransaction()
            try producer.produce(topic: bench.topic, partition: 0, value: Array(text.utf8))
            let metadata = try #require(consumer.member.metadata())
            let offset = text == "three" ? 7 : text == "two" ? 5 : 3
            try producer.sendOffsets(
                [TopicPartitionOffset(bench.partition(0), offset: Int64(offset))], of: metadata, timeout: .seconds(10))
            try isCommitted ? producer.commitTransaction() : producer.abortTransaction()
        }
        let reader = try KafkaConsumer(bench.configuration, groupID: bench.group + "-reader")
        try reader.assign([TopicPartitionOffset(bench.partition(0), offset: TopicPartitionOffset.beginning)])
        #expect(bench.read(reader, count: 2).map(\.value) == [Array("one".utf8), Array("three".utf8)])
        let committed = try consumer.member.committedOffsets(of: [bench.partition(0)], timeout: .seconds(10))
        #expect(committed == [TopicPartitionOffset(bench.partition(0), offset: 7)])
        #expect(reader.close(deadline: .seconds(10)))
        #expect(consumer.close(deadline: .seconds(10)))
    }

    @Test("there is no metadata without a membership")
    func noMembership() throws {
        let bench = try KafkaBench(.apache, partitions: 1)
        let consumer = try bench.consumer()
        #expect(consumer.member.metadata() == nil)
    }

    @Test("offsets of a generation that has passed are refused, and the transaction must be aborted")
    func zombie() throws {
        let bench = try KafkaBench(.apache, partitions: 2)
        let first = try joined(bench)
        let old = try #require(first.member.metadata())
        let second = try bench.consumer()
        try second.subscribe([bench.topic])
        let isShared = eventually(within: .seconds(30)) {
            _ = first.poll(timeoutMilliseconds: 20)
            _ = second.poll(timeoutMilliseconds: 20)
            return first.assignment.count == 1 && second.assignment.count == 1
        }
        #expect(isShared)
        let producer = try producer(bench)
        try producer.beginTransaction()
        try producer.produce(topic: bench.topic, partition: 0, value: [1])
        let error = #expect(throws: KafkaError.self) {
            try producer.sendOffsets(
                [TopicPartitionOffset(bench.partition(0), offset: 1)], of: old, timeout: .seconds(10))
        }
        #expect(error?.requiresAbort == true, "\(String(describing: error))")
        #expect(error?.isRetriable == false)
        try producer.abortTransaction()
        #expect(first.close(deadline: .seconds(10)))
        #expect(second.close(deadline: .seconds(10)))
    }

    @Test("a producer of the same name fences the one before it, for good")
    func fencing() throws {
        let bench = try KafkaBench(.apache, partitions: 1)
        let id = UUID().uuidString
        let first = try producer(bench, id: id)
        try first.beginTransaction()
        try first.produce(topic: bench.topic, partition: 0, value: [1])
        #expect(first.flush(timeout: .seconds(10)))
        let second = try producer(bench, id: id)
        #expect(throws: KafkaError.self) { try first.commitTransaction() }
        #expect(first.fatalError?.isFatal == true)
        try second.beginTransaction()
        try second.produce(topic: bench.topic, partition: 0, value: [2])
        try second.commitTransaction()
        let reader = try KafkaConsumer(bench.configuration, groupID: bench.group)
        try reader.assign([TopicPartitionOffset(bench.partition(0), offset: TopicPartitionOffset.beginning)])
        #expect(bench.read(reader, count: 1).map(\.value) == [[2]])
        #expect(reader.close(deadline: .seconds(10)))
    }
}
