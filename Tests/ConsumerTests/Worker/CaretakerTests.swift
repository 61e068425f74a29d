import Synchronization
import Telemetry
import Testing

@testable import Consumer

@Suite("Threads whose calls into the storage may hang") struct CaretakerTests {
    @Test("a crew of one, as the storage's probe is, has a new thread when its call is given up")
    func replaced() {
        let logger = Logger(label: "test", form: "text", level: "critical")
        let clock = RunningClock()
        let supervisor = ReadSupervisor(readers: 1, timeout: .milliseconds(300), clock: clock, logger: logger)
        let started = Atomic(0)
        let crew = Caretaker.Crew(supervisor: supervisor) { started.add(1, ordering: .relaxed) }
        crew.replaceHung(logger: logger)
        crew.replaceHung(logger: logger)
        #expect(started.load(ordering: .relaxed) == 1)
        let found: Int? = supervisor.call {
            clock.advance(by: .milliseconds(300))
            crew.replaceHung(logger: logger)
            return 7
        } onHung: {
            started.add(10, ordering: .relaxed)
        }
        #expect(found == nil)
        #expect(started.load(ordering: .relaxed) == 12, "it was given up, and one more thread started")
        #expect(!supervisor.rejoin(), "the old one ends when its call comes back")
    }
}
