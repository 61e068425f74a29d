import Foundation
import TestSupport
import Testing

@testable import Messaging

@Suite struct KafkaProducerTests {
    /// Every accepted record has one report, also those that the end of the broker leaves undelivered.
    @Test func everyRecordHasOneReportWhenTheBrokerGoes() throws {
        let broker = try EmbeddedTestBroker(topics: ["t:1"])
        var configuration = KafkaConfiguration(bootstrapServers: broker.bootstrapServers)
        configuration.set("message.timeout.ms", "2000")
        let reports = Collected<DeliveryReport>()
        let errors = Collected<KafkaError>()
        let producer = try KafkaProducer(
            configuration, onError: { errors.append($0) }, onDelivery: { reports.append($0) })
        for token in UInt64(1)...100 { try producer.produce(topic: "t", value: [1], token: token) }
        #expect(producer.flush(timeout: .seconds(20)))
        #expect(reports.values.map(\.token) == Array(1...100))
        #expect(reports.values.map(\.offset) == Array(0..<100))
        #expect(broker.stop() == 0)

        for token in UInt64(101)...150 { try producer.produce(topic: "t", value: [1], token: token) }
        #expect(producer.outstandingCount > 0)
        #expect(eventually { reports.values.count == 150 })
        let failed = reports.values.dropFirst(100)
        #expect(Set(failed.map(\.token)) == Set(101...150))
        #expect(failed.allSatisfy { $0.error?.category == .unreachable && $0.offset == -1 }, "\(failed.first as Any)")
        #expect(errors.values.contains { $0.category == .unreachable })
        #expect(producer.close(deadline: .seconds(1)))
    }

    /// Asking for partitions costs no more than its time limit where nobody answers, and records are taken all the same.
    @Test func partitionsAreLearntOnlyWhereABrokerAnswers() throws {
        let producer = try KafkaProducer(
            KafkaConfiguration(bootstrapServers: "127.0.0.1:1"), properties: ["message.timeout.ms": "0"],
            onDelivery: { _ in })
        producer.learnPartitions(of: "t", timeout: .milliseconds(50))
        try producer.produce(topic: "t", value: [1])
        #expect(producer.outstandingCount == 1)
        #expect(!producer.close(deadline: .zero))
    }

    /// With no limit on time, records wait for a broker; closing by a deadline gives them up and says so.
    @Test func closingPurgesWhatCannotBeDelivered() throws {
        let reports = Collected<DeliveryReport>()
        let producer = try KafkaProducer(
            KafkaConfiguration(bootstrapServers: "127.0.0.1:1"), properties: ["message.timeout.ms": "0"],
            onDelivery: { reports.append($0) })
        for token in UInt64(0)..<20 { try producer.produce(topic: "t", partition: 0, value: [1], token: token) }
        let start = ContinuousClock().now
        #expect(!producer.close(deadline: .milliseconds(300)))
        #expect(ContinuousClock().now - start < .seconds(3))
        #expect(Set(reports.values.map(\.token)) == Set(0..<20))
        #expect(reports.values.allSatisfy { $0.error?.name.hasPrefix("_PURGE") == true })
        #expect(throws: KafkaError.closed) { try producer.produce(topic: "t", value: [1]) }
    }

    @Test func aFullQueueIsToldAndPasses() throws {
        let broker = try EmbeddedTestBroker(topics: ["t:1"])
        var configuration = KafkaConfiguration(bootstrapServers: broker.bootstrapServers)
        configuration.set("queue.buffering.max.messages", "10")
        configuration.set("linger.ms", "200")
        let reports = Collected<DeliveryReport>()
        let producer = try KafkaProducer(configuration, onDelivery: { reports.append($0) })
        var refused = 0
        for token in UInt64(0)..<60 {
            let isTaken = eventually {
                do {
                    try producer.produce(topic: "t", value: [1], headers: [KafkaHeader("h", [2])], token: token)
                    return true
                } catch {
                    let isFull = (error as? KafkaError)?.category == .queueFull
                    if !isFull { Issue.record("\(error)") }
                    refused += 1
                    return false
                }
            }
            #expect(isTaken)
        }
        #expect(refused > 0)
        #expect(producer.close(deadline: .seconds(20)))
        #expect(reports.values.map(\.token) == Array(0..<60))
    }

    /// The error path on which single headers are freed twice by librdkafka 2.0.2.
    @Test(arguments: BrokerKind.available) func anUnknownPartitionIsAnErrorAndNoCrash(kind: BrokerKind) throws {
        let bench = try KafkaBench(kind, partitions: 1)
        let reports = Collected<DeliveryReport>()
        let producer = try KafkaProducer(bench.configuration, onDelivery: { reports.append($0) })
        try producer.produce(topic: bench.topic, partition: 0, value: [1])
        #expect(producer.flush(timeout: .seconds(20)))
        for _ in 0..<200 {
            let error = #expect(throws: KafkaError.self) {
                try producer.produce(
                    topic: bench.topic, partition: 7, value: [1],
                    headers: [KafkaHeader("h", [1]), KafkaHeader("i", nil)])
            }
            #expect(error?.name == "_UNKNOWN_PARTITION")
        }
        let large = [UInt8](repeating: 0, count: 2_000_000)
        let error = #expect(throws: KafkaError.self) {
            try producer.produce(topic: bench.topic, value: large, headers: [KafkaHeader("h", [1])])
        }
        #expect(error?.name == "MSG_SIZE_TOO_LARGE")
        #expect(producer.close(deadline: .seconds(10)))
        #expect(reports.values.count == 1)
    }

    /// Partitions by key are those of Java's default partitioner: murmur2 of the key, sign dropped, modulo partitions.
    /// The hashes are those of Kafka's own unit test of `Utils.murmur2`.
    @Test func keysGoWhereJavaClientsPutThem() throws {
        let bench = try KafkaBench(.embedded, partitions: 7)
        let hashes: [(String, Int32)] = [
            ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971), ("abc", 479_470_107),
        ]
        let reports = try bench.produce(hashes.map { KafkaRecord(key: Array($0.0.utf8), value: [1]) })
        for report in reports {
            #expect(report.partition == (hashes[Int(report.token)].1 & 0x7FFF_FFFF) % 7)
        }
        #expect(reports.count == hashes.count)
    }

    @Test func statisticsComeAsJSON() throws {
        let broker = try EmbeddedTestBroker(topics: ["t:1"])
        let texts = Collected<String>()
        var configuration = KafkaConfiguration(bootstrapServers: broker.bootstrapServers)
        configuration.statistics = { texts.append($0) }
        configuration.statisticsInterval = .milliseconds(50)
        let producer = try KafkaProducer(configuration, onDelivery: { _ in })
        #expect(eventually { !texts.values.isEmpty })
        let object = try JSONSerialization.jsonObject(with: Data((texts.values.first ?? "").utf8)) as? [String: Any]
        #expect(object?["type"] as? String == "producer")
        producer.close(deadline: .seconds(1))
    }
}
