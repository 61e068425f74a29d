import Foundation
import Telemetry
import TestSupport
import Testing

@testable import Consumer

@Suite("Readiness: what holds, what does not, and what is logged of it")
struct ReadinessTests {
    @Test("at first nothing holds but the breaker; each condition counts")
    func conditions() {
        let readiness = Readiness(logger: Logger(label: "t", level: .critical, sink: LogSink(form: .text)))
        #expect(readiness.unmet.map(\.condition) == [.modelWarm, .groupJoined, .storage, .kafka])
        for condition in Readiness.Condition.allCases { readiness.meet(condition) }
        #expect(readiness.unmet.isEmpty)
        readiness.miss(.kafka, because: "first")
        let since = readiness.unmet.first?.since
        readiness.miss(.kafka, because: "second")
        #expect(readiness.unmet.map(\.reason) == ["second"])
        #expect(readiness.unmet.first?.since == since)
        #expect(!readiness.holds(.kafka) && readiness.holds(.storage))
        #expect(readiness.losses(of: .kafka) == 1 && readiness.losses(of: .storage) == 0)
    }

    @Test("only changes are logged: once when a condition goes, once when it is back, nothing at the start")
    func logging() throws {
        let folder = try TemporaryDirectory()
        let file = try FileHandle(forWritingTo: folder.write("log", Data()))
        let sink = LogSink(form: .text, descriptor: file.fileDescriptor)
        let readiness = Readiness(logger: Logger(label: "t", sink: sink))
        readiness.miss(.storage, because: "not yet")
        readiness.meet(.storage)
        for _ in 0..<3 { readiness.miss(.storage, because: "gone") }
        for _ in 0..<3 { readiness.meet(.storage) }
        let log = try String(contentsOf: folder.url.appendingPathComponent("log"), encoding: .utf8)
        let lines = log.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first?.contains("warning t: storage: not ready condition=storage reason=gone") == true)
        #expect(lines.last?.contains("notice t: storage: holds again") == true)
    }
}
