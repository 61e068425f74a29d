import Foundation
import TestSupport
import Testing

@testable import Messaging

@Suite struct KafkaAdminTests {
    @Test(arguments: BrokerKind.available) func topicsAreMadeAndFoundAgain(kind: BrokerKind) throws {
        let bench = try KafkaBench(kind, partitions: 3)
        let admin = try KafkaAdmin(bench.configuration)
        let fresh = TopicSpecification("new-\(bench.topic)", partitions: 4, maximumMessageBytes: 2_000_000)
        let old = TopicSpecification(bench.topic, partitions: 9)
        let made = try admin.ensureTopics([fresh, old], timeout: .seconds(30))
        #expect(made.map(\.name) == [fresh.name, old.name])
        #expect(made.map(\.wasCreated) == [true, false])
        #expect(made.map(\.partitions) == [4, 3])
        #expect(made.allSatisfy { $0.warnings.isEmpty })
        if kind == .apache { #expect(made.first?.maximumMessageBytes == 2_000_000) }
        #expect(try admin.ensureTopics([fresh], timeout: .seconds(30)).map(\.wasCreated) == [false])

        let metadata = try admin.metadata(timeout: .seconds(10))
        #expect(metadata.isMock == (kind == .embedded))
        #expect(!metadata.clusterID.isEmpty)
        #expect(metadata.brokerCount == 1)
        #expect(metadata.partitionCounts[bench.topic] == 3)
    }

    @Test(.enabled(if: KafkaLocal.isPresent)) func aTopicWithTooLittleRoomIsWarnedOf() throws {
        let bench = try KafkaBench(.apache, partitions: 1)
        let specification = TopicSpecification(bench.topic, partitions: 1, maximumMessageBytes: 50_000_000)
        let states = try KafkaAdmin(bench.configuration).ensureTopics([specification], timeout: .seconds(30))
        #expect(states.first?.warnings.count == 1)
        #expect(states.first?.warnings.first?.contains("max.message.bytes") == true)
    }

    @Test(.enabled(if: KafkaLocal.isPresent)) func anImpossibleTopicIsAnErrorWithItsName() throws {
        let bench = try KafkaBench(.apache, partitions: 1)
        let error = #expect(throws: KafkaError.self) {
            try KafkaAdmin(bench.configuration).ensureTopics(
                [TopicSpecification("no good!", partitions: 1)], timeout: .seconds(10))
        }
        #expect(error?.message.contains("no good!") == true)
        #expect(error?.isAccess == false)
    }

    @Test func aBrokerThatIsAwayIsUnreachable() throws {
        let admin = try KafkaAdmin(KafkaConfiguration(bootstrapServers: "127.0.0.1:1"))
        let start = ContinuousClock().now
        let error = #expect(throws: KafkaError.self) { try admin.metadata(timeout: .seconds(1)) }
        #expect(error?.category == .unreachable)
        #expect(error?.isAccess == true)
        #expect(error?.message.contains("127.0.0.1:1") == true)
        #expect(ContinuousClock().now - start < .seconds(4))
    }

    /// A refused password is told apart from an outage, and at once; the right one works.
    @Test(.enabled(if: KafkaLocal.isPresent)) func aRefusedPasswordIsNoOutage() throws {
        let broker = try KafkaLocal(options: ["--secure"])
        let port = (broker.bootstrapServers.split(separator: ":").last.flatMap { Int($0) } ?? 0) + 2
        var configuration = KafkaConfiguration(bootstrapServers: "127.0.0.1:\(port)")
        try configuration.passThrough([
            "security.protocol=SASL_PLAINTEXT", "sasl.mechanism=PLAIN", "sasl.username=worker",
        ])
        try configuration.setSecret("sasl.password", "wrong")
        let start = ContinuousClock().now
        let error = #expect(throws: KafkaError.self) { try KafkaAdmin(configuration).metadata(timeout: .seconds(60)) }
        #expect(error?.category == .authentication)
        #expect(ContinuousClock().now - start < .seconds(15))

        try configuration.setSecret("sasl.password", "worker-secret")
        let admin = try KafkaAdmin(configuration)
        _ = try admin.metadata(timeout: .seconds(30))
        let refusal = #expect(throws: KafkaError.self) {
            try admin.ensureTopics([TopicSpecification("forbidden", partitions: 1)], timeout: .seconds(10))
        }
        #expect(refusal?.category == .authorization, "the user may do nothing")
    }
}
