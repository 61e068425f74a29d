import Testing

@testable import Consumer

@Suite("Turns by weight, and room shared by weight")
struct WeightedTurnsTests {
    private let topics = TopicWeights([("live", 8), ("bulk", 1)])

    /// How often each topic's turn comes in `rounds` single units of work while all have some.
    private func served(_ turns: inout WeightedTurns, rounds: Int, topics: Int) -> [Int] {
        var served = Array(repeating: 0, count: topics)
        for _ in 0..<rounds {
            guard let next = turns.next(where: { _ in true }) else { break }
            turns.charge(next, 1)
            served[next] += 1
        }
        return served
    }

    @Test("while all have work, each gets its weight's share, and nobody waits longer than a round")
    func shares() {
        var turns = WeightedTurns(topics)
        #expect(served(&turns, rounds: 900, topics: 2) == [800, 100])
        for _ in 0..<100 { #expect(served(&turns, rounds: 9, topics: 2) == [8, 1]) }
        var three = WeightedTurns(TopicWeights([("a", 5), ("b", 3), ("c", 2)]))
        #expect(served(&three, rounds: 1000, topics: 3) == [500, 300, 200])
        var equal = WeightedTurns(TopicWeights([("a", 1), ("b", 1)]))
        #expect(served(&equal, rounds: 10, topics: 2) == [5, 5])
    }

    @Test("a heavy topic that gets work goes first, whatever a light one was served before")
    func arrival() {
        var turns = WeightedTurns(topics)
        for _ in 0..<1000 {
            #expect(turns.next { $0 == 1 } == 1)
            turns.charge(1, 8)
        }
        #expect(turns.next { _ in true } == 0)
        // It has not saved up a thousand turns meanwhile: the light one is back after the batch's worth.
        var before = 0
        while turns.next(where: { _ in true }) == 0 {
            turns.charge(0, 1)
            before += 1
        }
        #expect(before <= 8 * 8 + 1)
    }

    @Test("units that were not done are given back")
    func refund() {
        var turns = WeightedTurns(TopicWeights([("a", 1), ("b", 1)]))
        turns.charge(0, 8)
        turns.refund(0, 7)
        turns.charge(1, 1)
        #expect(turns.next { _ in true } == 0)
    }

    @Test("nobody's turn comes without work")
    func idle() {
        #expect(WeightedTurns(topics).next { _ in false } == nil)
    }

    @Test("half of the room is kept by weight, the other half is anyone's")
    func room() {
        var room = SharedRoom(limit: 180, topics: topics)
        #expect(room.free(for: 0) == 170)
        #expect(room.free(for: 1) == 100)
        room.take(100, for: 1)
        #expect(room.free(for: 1) == 0)
        #expect(room.free(for: 0) == 80)
        room.take(80, for: 0)
        #expect(room.free(for: 0) == 0)
        room.give(100, of: 1)
        #expect(room.free(for: 0) == 90)
        #expect(room.free(for: 1) == 100)
        room.keep(for: [false, true])
        #expect(room.free(for: 1) == 100)
        room.give(80, of: 0)
        #expect(room.free(for: 1) == 180)
        #expect(room.total == 0)
    }

    @Test("a room too small to be divided serves whoever comes first")
    func smallRoom() {
        let room = SharedRoom(limit: 1, topics: topics)
        #expect(room.free(for: 0) == 1)
        #expect(room.free(for: 1) == 1)
    }

    @Test("a topic nobody knows is the lightest")
    func unknownTopic() {
        #expect(topics.index(of: "live") == 0)
        #expect(topics.index(of: "other") == 1)
    }
}
