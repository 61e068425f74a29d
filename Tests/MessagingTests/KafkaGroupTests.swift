import Foundation
import TestSupport
import Testing

@testable import Messaging

/// Consumer groups: who has which partition, and what a revoke leaves behind.
@Suite struct KafkaGroupTests {
    /// A second member takes half of the partitions. What the first had done is committed while it is revoked, so the
    /// second goes on exactly there, and both together read everything once.
    ///
    /// Not with `range` on the embedded broker: it refuses commits while a group rebalances, which a real one takes.
    @Test(arguments: BrokerKind.available, ["cooperative-sticky", "range"])
    func aRebalanceMovesPartitionsAndLosesNothing(kind: BrokerKind, assignor: String) throws {
        if kind == .embedded, assignor == "range" { return }
        var bench = try KafkaBench(kind, partitions: 4)
        bench.configuration.set("partition.assignment.strategy", assignor)
        for partition in Int32(0)..<4 {
            try bench.produce((0..<5).map { KafkaRecord(value: [$0]) }, partition: partition)
        }
        let first = try Member(bench)
        try first.start()
        #expect(
            eventually(within: .seconds(30)) {
                first.poll()
                return first.seen.count == 20
            })
        #expect(first.follower.assigned.count == 4)

        let second = try Member(bench)
        try second.start()
        #expect(
            eventually(within: .seconds(40)) {
                first.poll()
                second.poll()
                return second.consumer.assignment.count == 2 && first.consumer.assignment.count == 2
            })
        #expect(first.consumer.assignment.isDisjoint(with: second.consumer.assignment))
        #expect(first.follower.lost.isEmpty)
        if assignor == "cooperative-sticky" { #expect(first.follower.revoked.count == 2, "only what moves is revoked") }

        for partition in Int32(0)..<4 {
            try bench.produce((5..<9).map { KafkaRecord(value: [$0]) }, partition: partition)
        }
        #expect(
            eventually(within: .seconds(30)) {
                first.poll()
                second.poll()
                return first.seen.count + second.seen.count >= 36
            })
        #expect(Set(first.seen + second.seen).count == 36)
        #expect(first.seen.count + second.seen.count == 36, "nothing is read twice")

        #expect(second.consumer.close(deadline: .seconds(10)))
        #expect(
            eventually(within: .seconds(40)) {
                first.poll()
                return first.consumer.assignment.count == 4
            })
        #expect(first.consumer.close(deadline: .seconds(10)))
    }

    /// Closing before the first assignment crashes librdkafka 2.0.2 if it is done the plain way.
    @Test(arguments: BrokerKind.available) func closingBeforeTheFirstAssignmentIsSafe(kind: BrokerKind) throws {
        let bench = try KafkaBench(kind, partitions: 1)
        for round in 0..<3 {
            let consumer = try bench.consumer(delegate: Follower())
            try consumer.subscribe([bench.topic])
            for _ in 0..<round { _ = consumer.poll(timeoutMilliseconds: 50) }
            consumer.close(deadline: .milliseconds(400))
        }
    }

    @Test func closingKeepsItsDeadlineWithoutABroker() throws {
        let configuration = KafkaConfiguration(bootstrapServers: "127.0.0.1:1")
        let consumer = try KafkaConsumer(configuration, groupID: "g")
        try consumer.subscribe(["t"])
        let start = ContinuousClock().now
        consumer.close(deadline: .seconds(1))
        #expect(ContinuousClock().now - start < .seconds(3))
    }
}

/// One member that reads, and commits all it has read when partitions are revoked.
private final class Member {
    let bench: KafkaBench
    let follower = Follower(startAtLow: true)
    let consumer: KafkaConsumer
    private(set) var seen: [TopicPartitionOffset] = []

    init(_ bench: KafkaBench) throws {
        self.bench = bench
        consumer = try bench.consumer(delegate: follower)
    }

    func start() throws {
        follower.onRevoke = { [unowned self] consumer, partitions in
            let ends = partitions.compactMap { partition in
                seen.last { $0.partition == partition }.map { TopicPartitionOffset(partition, offset: $0.offset + 1) }
            }
            do {
                try consumer.commit(ends, timeout: .seconds(10))
            } catch {
                Issue.record("commit within a revoke: \(error)")
            }
        }
        try consumer.subscribe([bench.topic])
    }

    func poll() {
        switch consumer.poll(timeoutMilliseconds: 10) {
        case .message(let message): seen.append(TopicPartitionOffset(message.topicPartition, offset: message.offset))
        case .error(let error) where error.category != .unreachable: Issue.record("\(error)")
        default: break
        }
    }
}
