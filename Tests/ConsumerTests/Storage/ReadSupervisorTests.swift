import Synchronization
import Telemetry
import Testing

@testable import Consumer

@Suite("Calls into the storage that hang") struct ReadSupervisorTests {
    private let clock = RunningClock()
    private let supervisor: ReadSupervisor

    init() {
        supervisor = ReadSupervisor(
            readers: 2, timeout: .milliseconds(300), clock: clock,
            logger: Logger(label: "test", form: "text", level: "critical"))
    }

    private func pass(_ duration: Duration) {
        for _ in 0..<(duration.nanoseconds / RunningClock.interval.nanoseconds) {
            clock.advance(by: RunningClock.interval)
        }
    }

    @Test("a call in time gives its result; one that is late is taken over, and its thread replaced")
    func giveUp() {
        #expect(supervisor.vacancies() == 2)
        #expect(supervisor.vacancies() == 0)
        let hung = Atomic(0)
        let result = supervisor.call {
            pass(.milliseconds(200))
            supervisor.giveUpLateCalls()
            return 7
        } onHung: {
            hung.add(1, ordering: .relaxed)
        }
        #expect(result == 7)
        let late: Int? = supervisor.call {
            pass(.milliseconds(300))
            supervisor.giveUpLateCalls()
            supervisor.giveUpLateCalls()
            #expect(supervisor.vacancies() == 1)
            return 7
        } onHung: {
            hung.add(1, ordering: .relaxed)
        }
        #expect(late == nil)
        #expect(hung.load(ordering: .relaxed) == 1)
        #expect(supervisor.hungCount == 1)
        // The new thread is at work: the old one is not needed any more.
        #expect(!supervisor.rejoin())
        #expect(supervisor.hungCount == 0)
    }

    @Test("a thread that comes back before it was replaced goes on")
    func comeBack() {
        _ = supervisor.vacancies()
        let late: Int? = supervisor.call {
            pass(.milliseconds(300))
            supervisor.giveUpLateCalls()
            return 7
        } onHung: {
        }
        #expect(late == nil)
        #expect(supervisor.rejoin())
        #expect(supervisor.vacancies() == 0)
    }

    @Test("a bounded number of threads hangs; when all do, the storage is exhausted")
    func bound() {
        var started = supervisor.vacancies()
        hang(started: &started)
        #expect(started == 2 + ReadSupervisor.maximumHung)
        #expect(supervisor.isExhausted)
        #expect(supervisor.vacancies() == 0)
        #expect(supervisor.rejoin())
        #expect(!supervisor.isExhausted)
    }

    /// Calls within calls stand for threads that all hang at once.
    private func hang(started: inout Int) {
        let late: Int? = supervisor.call {
            pass(.milliseconds(300))
            supervisor.giveUpLateCalls()
            let more = supervisor.vacancies()
            started += more
            if supervisor.hungCount < started { hang(started: &started) }
            return 0
        } onHung: {
        }
        #expect(late == nil)
    }
}

@Suite("Time as far as the process ran") struct RunningClockTests {
    @Test("it goes with the time, but a long stop counts as a short one")
    func stopped() {
        let clock = RunningClock()
        let start = MonotonicTime.now
        clock.advance(to: start)
        let before = clock.now
        clock.advance(to: start + .milliseconds(100))
        #expect(clock.now - before == .milliseconds(100))
        clock.advance(to: start + .seconds(3600))
        #expect(clock.now - before == .milliseconds(600))
    }
}
