import Messaging
import Synchronization
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
        #expect(ledger.offsetsToCommit().isEmpty)
        // A partition that is taken away commits again what nobody has confirmed.
        #expect(ledger.finalOffsetsToCommit(of: [one, two]) == [TopicPartitionOffset(two, offset: 8)])
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
        #expect(ledger.finalOffsetsToCommit(of: [one]) == [TopicPartitionOffset(one, offset: 2)])
        ledger.remove([one])
        #expect(ledger.occupancy.requests == 1)
    }

    @Test("whoever found no room is told once, when enough places are free to be worth it")
    func room() throws {
        let told = Mutex(0)
        let ledger = Ledger<String>(
            limits: .init(requests: 64, bytes: 1000), order: .partition, onRoom: { told.withLock { $0 += 1 } },
            messageCount: { _ in 1 })
        ledger.assign([one])
        let places = (0..<64).compactMap { ledger.admit(one, offset: $0, bytes: 1) }
        for place in places { _ = ledger.finish(place, with: "x") }
        ledger.acknowledge(places[0])
        #expect(ledger.room(for: one).requests == 1)
        #expect(!ledger.isShort)
        _ = ledger.admit(one, offset: 64, bytes: 1)
        #expect(ledger.room(for: one).requests == 0)
        #expect(ledger.isShort)
        for place in places[1...3] { ledger.acknowledge(place) }
        #expect(told.withLock { $0 } == 0)
        ledger.acknowledge(places[4])
        #expect(told.withLock { $0 } == 1)
        #expect(!ledger.isShort)
        for place in places[5...] { ledger.acknowledge(place) }
        #expect(told.withLock { $0 } == 1)
    }

    @Test("what a thread gave back does not hold up a revoke")
    func postponed() throws {
        ledger.assign([one])
        let places = (0..<2).compactMap { ledger.admit(one, offset: $0, bytes: 1) }
        for place in places { #expect(ledger.start(place)) }
        ledger.postpone([places[1]])
        ledger.close([one])
        #expect(!ledger.waitUntilSettled([one], until: .now))
        for released in ledger.finish(places[0], with: "done") { ledger.acknowledge(released.place) }
        #expect(ledger.waitUntilSettled([one], until: .now))
        #expect(!ledger.start(places[1]))
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
