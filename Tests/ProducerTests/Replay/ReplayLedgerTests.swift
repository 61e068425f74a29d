import Messaging
import Testing

@testable import Producer

@Suite struct ReplayLedgerTests {
    private static let partition = TopicPartition(topic: "dead", partition: 0)

    private func ledger(_ committed: OffsetAndMetadata? = nil, _ range: Range<Int64>) throws -> ReplayLedger {
        try ReplayLedger(Self.partition, committed: committed, range: range)
    }

    /// Reads on to the end and replays what `chooses`; returns what that was.
    private func run(_ ledger: inout ReplayLedger, _ chooses: (Int64) -> Bool) -> [Int64] {
        var replayed: [Int64] = []
        while !ledger.isAtEnd {
            let offset = ledger.position
            ledger.advance(to: offset + 1)
            if ledger.isReplayed(offset) { continue }
            if chooses(offset) {
                ledger.begin(offset)
                ledger.settle(offset)
                replayed.append(offset)
            } else {
                ledger.pass(offset)
            }
        }
        return replayed
    }

    @Test func allReplayedIsAnOffsetAlone() throws {
        var ledger = try ledger(nil, 3..<10)
        #expect(ledger.position == 3)
        #expect(run(&ledger) { _ in true } == Array(3..<10))
        #expect(ledger.takeOffset() == OffsetAndMetadata(Self.partition, offset: 10, metadata: ""))
        #expect(ledger.takeOffset() == nil)
    }

    /// Whatever filters come one after another, each is replayed once and none is forgotten.
    @Test func anyFiltersInAnyOrderReplayEachOnce() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            var committed: OffsetAndMetadata?
            var replayed: [Int64] = []
            var end: Int64 = 20
            for round in 0..<6 {
                var ledger = try ledger(committed, 0..<end)
                let modulus = Int64.random(in: 1...5, using: &generator)
                let low = Int64.random(in: 0..<end, using: &generator)
                replayed += run(&ledger) { round == 5 || ($0 % modulus == 0 && $0 >= low) }
                committed = ledger.takeOffset() ?? committed
                if round < 4 { end += Int64.random(in: 0...30, using: &generator) }
            }
            #expect(replayed.sorted() == Array(0..<end))
            #expect(committed == OffsetAndMetadata(Self.partition, offset: end, metadata: ""))
        }
    }

    @Test func whatIsNotAcknowledgedIsNotPassed() throws {
        var first = try ledger(nil, 0..<5)
        for offset in Int64(0)..<5 {
            first.advance(to: offset + 1)
            first.begin(offset)
        }
        for offset: Int64 in [0, 1, 3] { first.settle(offset) }
        let offset = first.takeOffset()
        let committed = try #require(offset)
        #expect(committed.offset == 2)
        var second = try ledger(committed, 0..<5)
        #expect(run(&second) { _ in true } == [2, 4])
    }

    @Test func whatRetentionTookIsNotAwaited() throws {
        let committed = OffsetAndMetadata(Self.partition, offset: 2, metadata: OffsetRanges.text([4..<6], after: 2))
        var later = try ledger(committed, 5..<8)
        #expect(later.position == 5)
        #expect(run(&later) { _ in true } == [6, 7])
        #expect(later.takeOffset()?.offset == 8)
    }

    @Test func aTopicMadeAnewBeginsAgain() throws {
        let committed = OffsetAndMetadata(Self.partition, offset: 50, metadata: "")
        #expect(try ledger(committed, 0..<3).position == 0)
        // What was replayed of the one before it says nothing about this one.
        let known = OffsetAndMetadata(
            Self.partition, offset: 50, metadata: OffsetRanges.text([60..<70], after: 50))
        #expect(try !ledger(known, 0..<3).isReplayed(65))
    }

    @Test func anotherProgramsOffsetIsAFailure() {
        let committed = OffsetAndMetadata(Self.partition, offset: 1, metadata: "checkpoint 7")
        #expect(throws: ReplayFailure.self) { try ledger(committed, 0..<3) }
    }

    @Test func aFullRecordIsNotOverrun() throws {
        var ledger = try ledger(nil, 0..<200_000)
        var sent = 0
        for offset in Int64(0)..<200_000 {
            ledger.advance(to: offset + 1)
            if offset % 3 == 0 || !ledger.hasRoom() {
                ledger.pass(offset)
            } else {
                ledger.begin(offset)
                ledger.settle(offset)
                sent += 1
            }
        }
        let offset = ledger.takeOffset()
        let metadata = try #require(offset).metadata
        #expect(metadata.utf8.count <= OffsetAndMetadata.maximumMetadataBytes)
        #expect(sent > 5000)
    }
}
