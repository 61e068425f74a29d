import Foundation
import Testing

@testable import Producer

struct ProgressTests {
    static let half = ProgressSnapshot(
        counts: Counts(enqueued: 3300, delivered: 3150), total: 7000, elapsed: .seconds(15), rate: 210,
        waitsForAnswers: false)

    @Test func theBarShowsShareRateAndTimeLeft() {
        #expect(
            Self.half.bar(width: 79) == "[=================>                      ] 45%  3,150/7,000  210/s  ETA 0:19")
        #expect(Self.half.bar(width: 79).count <= 79)
        #expect(Self.half.bar(width: 30) == "45%  3,150/7,000  210/s  ETA 0")
    }

    @Test func theBarNamesTroubles() {
        var snapshot = Self.half
        snapshot.counts.failed = 2
        snapshot.counts.skipped = 1000
        snapshot.rate = 0.5
        #expect(snapshot.bar(width: 200).hasSuffix("] 59%  4,152/7,000  0.5/s  ETA 1:34:56  2 failed  1,000 skipped"))
    }

    @Test func withoutATotalThereIsNoBar() {
        var snapshot = Self.half
        snapshot.total = nil
        #expect(snapshot.bar(width: 79) == "3,150 delivered  210/s  0:15")
        snapshot.rate = nil
        #expect(snapshot.bar(width: 79) == "3,150 delivered  0:15")
    }

    @Test func whoWaitsCountsAnswers() {
        var snapshot = Self.half
        snapshot.waitsForAnswers = true
        snapshot.counts.ok = 699
        snapshot.counts.errors = 1
        #expect(snapshot.bar(width: 200).hasSuffix("] 10%  700/7,000  210/s  ETA 0:30  1 errors"))
        #expect(
            snapshot.summary
                == "3,300 enqueued, 3,150 delivered, 699 captioned, 1 errors, 2,450 unanswered in 15.0 s (46.7/s)")
    }

    @Test func nothingToDoIsDone() {
        let snapshot = ProgressSnapshot(counts: Counts(), total: 0, elapsed: .zero, waitsForAnswers: false)
        #expect(snapshot.bar(width: 60).hasPrefix("[========================================] 100%  0/0"))
        #expect(snapshot.summary == "0 enqueued, 0 delivered in 0.0 s (0.0/s)")
    }

    @Test func jsonLinesAreReadByAnotherParser() throws {
        var snapshot = Self.half
        let object = try parse(snapshot.json(event: "progress"))
        #expect(object["event"] as? String == "progress")
        #expect(object["delivered"] as? Int == 3150)
        #expect(object["total"] as? Int == 7000)
        #expect(object["rate"] as? Double == 210)
        #expect(object["eta_seconds"] as? Double == 18.333)
        #expect(object["results"] == nil)
        snapshot.waitsForAnswers = true
        snapshot.counts.ok = 3149
        let summary = try parse(snapshot.json(event: "summary", exitCode: 1))
        #expect(summary["exit_code"] as? Int == 1)
        #expect(summary["seconds"] as? Double == 15)
        #expect(summary["results"] as? [String: Int] == ["ok": 3149, "error": 0, "missing": 1])
    }

    private func parse(_ line: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }

    @Test func theRateIsThatOfTheLastSeconds() {
        var meter = RateMeter(window: .seconds(5))
        #expect(meter.add(0, at: .seconds(0)) == nil)
        #expect(meter.add(100, at: .seconds(1)) == 100)
        #expect(meter.add(200, at: .seconds(2)) == 100)
        for second in 3...20 { _ = meter.add(200, at: .seconds(second)) }
        #expect(meter.add(200, at: .seconds(21)) == 0)
        #expect(meter.add(260, at: .seconds(22)) == 12)
    }
}
