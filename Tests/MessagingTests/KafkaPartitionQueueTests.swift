import Foundation
import TestSupport
import Testing

@testable import Messaging

/// Records taken partition by partition.
@Suite struct KafkaPartitionQueueTests {
    private func consumer(_ bench: KafkaBench, _ arrivals: ArrivalSignal, _ follower: Follower) throws -> KafkaConsumer
    {
        try KafkaConsumer(bench.configuration, groupID: bench.group, arrivals: arrivals, delegate: follower)
    }

    /// Polls, and takes of one partition until it has given so many records.
    private func take(
        _ count: Int, of partition: TopicPartition, from consumer: KafkaConsumer, _ arrivals: ArrivalSignal
    ) -> [UInt8] {
        var values: [UInt8] = []
        let isDone = eventually(within: .seconds(120)) {
            arrivals.wait(milliseconds: 50)
            if case .message = consumer.poll(timeoutMilliseconds: 0) { Issue.record("a record came by poll") }
            while values.count < count, case .message(let message)? = consumer.take(from: partition) {
                values += message.value ?? []
            }
            return values.count >= count
        }
        #expect(isDone, "\(values.count) of \(count) came")
        return values
    }

    @Test(arguments: BrokerKind.available)
    func onlyWhatIsAskedForIsTakenAndNothingIsLost(kind: BrokerKind) throws {
        let bench = try KafkaBench(kind, partitions: 2)
        for partition in Int32(0)..<2 {
            try bench.produce((0..<200).map { KafkaRecord(value: [$0]) }, partition: partition)
        }
        let arrivals = try ArrivalSignal()
        let follower = Follower(startAtLow: true)
        let consumer = try consumer(bench, arrivals, follower)
        try consumer.subscribe([bench.topic])
        #expect(take(100, of: bench.partition(1), from: consumer, arrivals) == (0..<100).map { $0 })
        #expect(take(200, of: bench.partition(0), from: consumer, arrivals) == (0..<200).map { $0 })
        #expect(take(100, of: bench.partition(1), from: consumer, arrivals) == (100..<200).map { $0 })
        #expect(consumer.take(from: bench.partition(0)) == nil)
        try bench.produce([KafkaRecord(value: [7])], partition: 0)
        #expect(take(1, of: bench.partition(0), from: consumer, arrivals) == [7])
        #expect(consumer.close(deadline: .seconds(10)))
    }

    /// A partition that stands still says so by its own queue, and goes on after `restart`.
    @Test(arguments: BrokerKind.available)
    func errorsOfAPartitionComeByItsQueue(kind: BrokerKind) throws {
        let bench = try KafkaBench(kind, partitions: 1)
        try bench.produce((0..<3).map { KafkaRecord(value: [$0]) }, partition: 0)
        let arrivals = try ArrivalSignal()
        let follower = Follower()
        let consumer = try consumer(bench, arrivals, follower)
        try consumer.subscribe([bench.topic])
        let isTold = eventually(within: .seconds(120)) {
            arrivals.wait(milliseconds: 50)
            _ = consumer.poll(timeoutMilliseconds: 0)
            guard case .error(let error)? = consumer.take(from: bench.partition(0)) else { return false }
            return error.name == "_AUTO_OFFSET_RESET" && error.partition == bench.partition(0)
        }
        #expect(isTold)
        try consumer.restart(bench.partition(0), at: 1)
        #expect(take(2, of: bench.partition(0), from: consumer, arrivals) == [1, 2])
        #expect(consumer.close(deadline: .seconds(10)))
    }

    /// A partition goes to another member and comes back: what was fetched and not taken is not taken later, by either.
    @Test(arguments: BrokerKind.available)
    func aPartitionThatComesBackGoesOnAtItsOffset(kind: BrokerKind) throws {
        let bench = try KafkaBench(kind, partitions: 2)
        for partition in Int32(0)..<2 {
            try bench.produce((0..<100).map { KafkaRecord(value: [$0]) }, partition: partition)
        }
        let arrivals = try ArrivalSignal()
        let follower = Follower(startAtLow: true)
        var done = [bench.partition(0): 0, bench.partition(1): 0]
        follower.onRevoke = { consumer, partitions in
            let offsets = partitions.map { TopicPartitionOffset($0, offset: Int64(done[$0] ?? 0)) }
            try? consumer.commit(offsets, timeout: .seconds(10))
        }
        let first = try consumer(bench, arrivals, follower)
        try first.subscribe([bench.topic])
        for partition in [bench.partition(0), bench.partition(1)] {
            #expect(take(10, of: partition, from: first, arrivals) == (0..<10).map { $0 })
            done[partition] = 10
        }
        let otherArrivals = try ArrivalSignal()
        let second = try consumer(bench, otherArrivals, Follower(startAtLow: true))
        try second.subscribe([bench.topic])
        #expect(
            eventually(within: .seconds(120)) {
                _ = first.poll(timeoutMilliseconds: 20)
                _ = second.poll(timeoutMilliseconds: 20)
                return second.assignment.count == 1 && first.assignment.count == 1
            })
        let moved = try #require(second.assignment.first)
        #expect(first.take(from: moved) == nil)
        #expect(take(5, of: moved, from: second, otherArrivals) == (10..<15).map { $0 })
        try second.commit([TopicPartitionOffset(moved, offset: 15)], timeout: .seconds(10))
        #expect(second.close(deadline: .seconds(10)))
        #expect(
            eventually(within: .seconds(120)) {
                _ = first.poll(timeoutMilliseconds: 20)
                return first.assignment.count == 2
            })
        done[moved] = 15
        #expect(take(85, of: moved, from: first, arrivals) == (15..<100).map { $0 })
        #expect(first.close(deadline: .seconds(10)))
    }
}
