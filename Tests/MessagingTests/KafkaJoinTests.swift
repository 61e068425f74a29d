import TestSupport
import Testing

@testable import Messaging

/// Commits while a group rebalances.
@Suite struct KafkaJoinTests {
    /// Members hear of a rebalance by heartbeat, so that the first to join again waits for the others; commits that it sends
    /// meanwhile cost it all its partitions (see `isJoining`). Here the members commit all the time, but then.
    ///
    /// On busy cores a member can be put off its processor between looking and sending, and a join begin in between: so one group
    /// of three must lose nothing. Where nobody looks, each loses, and many partitions at that.
    @Test(.enabled(if: KafkaLocal.isPresent, "the embedded broker answers joins in another order"))
    func committingAllTheTimeLosesNothingInARebalance() throws {
        var lost: [[TopicPartition]] = []
        for _ in 0..<3 {
            lost = try lostByAGrowingGroup()
            if lost.allSatisfy(\.isEmpty) { return }
        }
        Issue.record("\(lost)")
    }

    /// What each of three members lost while they came one after the other.
    private func lostByAGrowingGroup() throws -> [[TopicPartition]] {
        let bench = try KafkaBench(.apache, partitions: 6)
        for partition in Int32(0)..<6 { try bench.produce([KafkaRecord(value: [1])], partition: partition) }
        var members: [CommittingMember] = []
        for count in 1...3 {
            members.append(try CommittingMember(bench))
            let isShared = eventually(within: .seconds(60)) {
                for member in members { member.poll() }
                return members.allSatisfy { $0.consumer.assignment.count == 6 / count && !$0.consumer.isJoining }
            }
            #expect(isShared, "\(members.map(\.consumer.assignment.count))")
        }
        #expect(members[0].sawItselfJoining)
        for member in members { member.consumer.close(deadline: .seconds(10)) }
        return members.map(\.follower.lost)
    }
}

/// One member that commits the first offset of all its partitions with every poll.
private final class CommittingMember {
    let follower = Follower(startAtLow: true)
    let consumer: KafkaConsumer
    private(set) var sawItselfJoining = false

    init(_ bench: KafkaBench) throws {
        consumer = try bench.consumer(delegate: follower)
        try consumer.subscribe([bench.topic])
    }

    func poll() {
        if case .error(let error) = consumer.poll(timeoutMilliseconds: 10), error.category != .unreachable {
            Issue.record("\(error)")
        }
        if consumer.isJoining {
            if !consumer.assignment.isEmpty { sawItselfJoining = true }
            return
        }
        #expect(throws: Never.self) {
            try consumer.commitAsync(consumer.assignment.map { TopicPartitionOffset($0, offset: 0) })
        }
    }
}
