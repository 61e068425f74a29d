import Foundation
import Messaging
import TestSupport
import Testing

@testable import FaultHarness

@Suite(
    "Where a group and a topic stand",
    .enabled(if: KafkaLocal.isPresent, "there is no Kafka to start beside this checkout"))
struct GroupOffsetsTests {
    @Test("a topic's end is behind the records of a transaction that is open: a reader has to wait for its outcome")
    func openTransaction() throws {
        let name = "offsets-\(UUID().uuidString.lowercased())"
        let configuration = KafkaConfiguration(bootstrapServers: try KafkaLocal.shared().bootstrapServers)
        _ = try KafkaAdmin(configuration).ensureTopics(
            [TopicSpecification(name, partitions: 1)], timeout: .seconds(30))
        let producer = try KafkaProducer(
            configuration, properties: ["transactional.id": name, "transaction.timeout.ms": "30000"],
            onDelivery: { _ in })
        try producer.initializeTransactions(timeout: .seconds(30))
        try producer.beginTransaction()
        for value in UInt8(0)..<3 { try producer.produce(topic: name, partition: 0, value: [value]) }
        #expect(producer.flush(timeout: .seconds(20)))

        let partition = TopicPartition(topic: name, partition: 0)
        #expect(try GroupOffsets(configuration, group: name).ends(of: [partition]) == [partition: 3])
        try producer.abortTransaction()
        #expect(producer.close(deadline: .seconds(20)))
    }
}
