import Messaging
import Testing

@testable import Consumer

@Suite("The ledger: epochs, commits and the window over all partitions")
struct LedgerTests {
    private let ledger = Ledger<String>(limits: .init(requests: 4, bytes: 1000), order: .partition) { _ in 1 }
    private let one = TopicPartition(topic: "requests", partition: 1)
    private let two = TopicPartition(topic: "requests", partition: 2)

    private func answer(_ place: Place, _ text: String = "x") -> [String] {
        ledger.finish(place, with: text).map(\.answer)
    }

    @Test("late results of an assignment that has ended go nowhere, also when the partition came back")
    func lateResults() throws {
        ledger.assign([one])
        let old = try #require(ledger.admit(one, offset: 10, bytes: 1))
        ledger.remove([one])
        #expect(!ledger.isWanted(old))
        #expect(!ledger.start(old))
        #expect(answer(old).isEmpty)
        ledger.assign([one])
        let new = try #require(ledger.admit(one, offset: 10, bytes: 1))
        #expect(answer(old).isEmpty)
        #expect(answer(new, "new") == ["new"])
        ledger.acknowledge(old)
        #expect(ledger.offsetsToCommit().isEmpty)
        ledger.acknowledge(new)
        #expect(ledger.offsetsToCommit() == [TopicPartitionOffset(one, offset: 11)])
    }

    @Test("records of partitions that are not assigned, and repeats, get no place")
    func admission() {
        #expect(ledger.admit(one, offset: 1, bytes: 1) == nil)
        ledger.assign([one])
        #expect(ledger.admit(one, offset: 1, bytes: 1) != nil)
        #expect(ledger.admit(one, offset: 1, bytes: 1) == nil)
        #expect(ledger.highestOffset(of: one) == 1)
        #expect(ledger.occupancy == (1, 1))
    }

    @Test("an offset is committed once, again after a failure, and never backwards")
    func commits() throws {
        ledger.assign([one, two])
        for (partition, offset) in [(one, 5), (two, 7), (one, 6)] {
            let place = try #require(ledger.admit(partition, offset: Int64(offset), bytes: 1))
            _ = answer(place)
            ledger.acknowledge(place)
        }
        let first = ledger.offsetsToCommit().sorted { $0.partition < $1.partition }
        #expect(first == [TopicPartitionOffset(one, offset: 7), TopicPartitionOffset(two, offset: 8)])
        #expect(ledger.offsetsToCommit().isEmpty)
        ledger.commitEnded([first[0]], succeeded: true)
        ledger.commitEnded([first[1]], succeeded: false)
        #expect(ledger.offsetsToCommit() == [TopicPartitionOffset(two, offset: 8)])
        #expect(ledger.offsetsToCommit(of: [one]).isEmpty)
    }

    @Test("a revoke waits for running requests only, and the prefix is committed")
    func revoke() throws {
        ledger.assign([one, two])
        let running = try #require(ledger.admit(one, offset: 1, bytes: 1))
        let queued = try #require(ledger.admit(one, offset: 2, bytes: 1))
        let other = try #require(ledger.admit(two, offset: 9, bytes: 1))
        #expect(ledger.start(running))
        ledger.close([one])
        #expect(!ledger.start(queued))
        #expect(ledger.start(other))
        #expect(!ledger.waitUntilSettled([one], until: .now))
        let pool = try WorkerThread(name: "pool", stackBytes: 1 << 18) { [ledger] in
            for released in ledger.finish(running, with: "done") { ledger.acknowledge(released.place) }
        }
        #expect(ledger.waitUntilSettled([one], until: .now + .seconds(20)))
        pool.join()
        #expect(ledger.offsetsToCommit(of: [one]) == [TopicPartitionOffset(one, offset: 2)])
        ledger.remove([one])
        #expect(ledger.occupancy.requests == 1)
    }

    @Test("the poll thread waits for room no longer than it wants, and is woken when there is some")
    func room() throws {
        ledger.assign([one])
        let places = (0..<4).compactMap { ledger.admit(one, offset: $0, bytes: 1) }
        #expect(!ledger.waitForRoom(one, until: .now + .milliseconds(1)))
        #expect(ledger.pause(becauseOf: one) == [one])
        #expect(ledger.hasPaused)
        #expect(ledger.resume() == [])
        let publisher = try WorkerThread(name: "publisher", stackBytes: 1 << 18) { [ledger] in
            for place in places {
                for released in ledger.finish(place, with: "x") { ledger.acknowledge(released.place) }
            }
        }
        #expect(ledger.waitForRoom(one, until: .now + .seconds(20)))
        publisher.join()
        #expect(ledger.resume() == [one])
        #expect(ledger.waitUntilEmpty(until: .now))
    }

    @Test("a new producer gets everything unacknowledged, in each partition's order")
    func renewal() throws {
        ledger.assign([one, two])
        for (partition, offset) in [(one, 1), (two, 1), (one, 2)] {
            let place = try #require(ledger.admit(partition, offset: Int64(offset), bytes: 1))
            #expect(answer(place, "\(partition.partition)-\(offset)").count == 1)
            #expect(ledger.unacknowledgedAnswer(at: place) == "\(partition.partition)-\(offset)")
        }
        let again = ledger.allUnacknowledged().map(\.answer)
        #expect(again.filter { $0.hasPrefix("1") } == ["1-1", "1-2"])
        #expect(again.count == 3)
    }

    @Test("delivery tokens carry places and kinds through librdkafka's pointer")
    func tokens() {
        for place in [Place(epoch: 1, sequence: 0), Place(epoch: 4_000_000, sequence: 1 << 40 - 1)] {
            for kind in [DeliveryToken.Kind.result, .deadLetter] {
                let token = DeliveryToken(place, kind)
                #expect(DeliveryToken(rawValue: token.rawValue) == token)
            }
        }
    }
}
