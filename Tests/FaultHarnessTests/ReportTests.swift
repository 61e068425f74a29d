import Foundation
import TestSupport
import Testing

@testable import FaultHarness

@Suite("Reports")
struct ReportTests {
    @Test("workers' logs tell what they lost to retention, and when partitions came and went")
    func log() {
        let log = WorkerLog(
            """
            2026-01-31T12:00:00.000Z info kaption-worker: assigned partitions="r[0] r[1]"
            2026-01-31T12:00:00.000Z info kaption-worker: assigned partitions=""
            2026-01-31T12:00:01.000Z error kaption-worker: requests were deleted by the topic's retention before they were read committed=3 first=9 partition=r[0] requests_lost_to_retention=6
            2026-01-31T12:00:02.000Z info kaption-worker: progress captioned=9 requests_lost_to_retention=6
            2026-01-31T12:00:03.000Z info kaption-worker: revoked partitions=r[1] settled=true
            2026-01-31T12:00:04.000Z warning kaption-worker: lost partitions=r[0]
            """)
        #expect(log.lostToRetention == 6)
        #expect(log.rebalances == 3)
    }

    @Test("seeds that passed in a mode are known from the results file, others are run again")
    func resume() throws {
        let folder = try TemporaryDirectory()
        let file = ResultsFile(url: folder.url.appendingPathComponent("results"))
        #expect(file.passed(in: .atLeastOnce) == [])
        var report = RunReport(seed: 4, mode: .atLeastOnce, accepted: 10, faults: 1, objections: [])
        try file.append(report.line)
        report.seed = 5
        try file.append(report.with(objection: "1 accepted requests have no result").line)
        report.seed = 6
        report.mode = .exactlyOnce
        try file.append(report.line)
        #expect(file.passed(in: .atLeastOnce) == [4])
        #expect(file.passed(in: .exactlyOnce) == [6])
    }
}
