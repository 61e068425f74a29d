import Messaging
import Testing

@testable import Consumer

@Suite("The circuit breaker") struct CircuitBreakerTests {
    private let start = MonotonicTime(nanoseconds: 0)

    /// A reference, so that expectations can change it.
    private final class Subject {
        private var breaker: CircuitBreaker

        init(threshold: Int = 50, window: Int = 100) {
            breaker = CircuitBreaker(.init(threshold: threshold, window: window, interval: .seconds(5)))
        }

        var isOpen: Bool { breaker.isOpen }

        /// Puts so many outcomes in; whether each went out.
        @discardableResult
        func admit(_ outcome: CircuitBreaker.Outcome, _ count: Int, isTrial: Bool = false) -> [Bool] {
            (0..<count).map { _ in breaker.admit(outcome, isTrial: isTrial, now: MonotonicTime(nanoseconds: 0)) }
        }

        func isTrialDue(_ time: MonotonicTime) -> Bool { breaker.isTrialDue(now: time) }
    }

    @Test("a few failures before the window is full do not open it; half a window of them does")
    func opens() {
        let breaker = Subject()
        breaker.admit(.fault, 49)
        #expect(!breaker.isOpen)
        breaker.admit(.fault, 1)
        #expect(breaker.isOpen)
    }

    @Test("what has left the window does not count")
    func window() {
        let breaker = Subject()
        breaker.admit(.fault, 49)
        breaker.admit(.success, 100)
        breaker.admit(.fault, 49)
        #expect(!breaker.isOpen)
        breaker.admit(.fault, 1)
        #expect(breaker.isOpen)
    }

    @Test("callers' own failures never open it")
    func refusals() {
        let breaker = Subject()
        breaker.admit(.refusal, 1000)
        #expect(!breaker.isOpen)
        for code in ErrorCode.allCases {
            let counts: Set<ErrorCode> = [.internal, .imageUnreadable, .imageNotFound, .modelUnknown]
            #expect((CircuitBreaker.Outcome(code) == .fault) == counts.contains(code))
        }
    }

    @Test("open, faults are kept, and whatever else is under way goes out without closing it")
    func open() {
        let breaker = Subject(window: 10)
        #expect(breaker.admit(.fault, 5) == Array(repeating: true, count: 5))
        #expect(breaker.admit(.fault, 3) == [false, false, false])
        #expect(breaker.admit(.success, 3) == [true, true, true])
        #expect(breaker.admit(.refusal, 1) == [true])
        #expect(breaker.isOpen)
    }

    @Test("one request is tried an interval; a fault is answered and leaves it open, a success closes it")
    func trial() {
        let breaker = Subject(window: 10)
        breaker.admit(.fault, 5)
        #expect(!breaker.isTrialDue(start + .seconds(4)))
        #expect(breaker.isTrialDue(start + .seconds(5)))
        #expect(!breaker.isTrialDue(start + .seconds(5)))
        #expect(breaker.admit(.fault, 1, isTrial: true) == [true])
        #expect(breaker.isOpen)
        #expect(breaker.isTrialDue(start + .seconds(10)))
        #expect(breaker.admit(.refusal, 1, isTrial: true) == [true])
        #expect(breaker.isOpen)
        #expect(breaker.admit(.success, 1, isTrial: true) == [true])
        #expect(!breaker.isOpen)
        // Counting begins anew.
        breaker.admit(.fault, 4)
        #expect(!breaker.isOpen)
        breaker.admit(.fault, 1)
        #expect(breaker.isOpen)
    }

    @Test("with a threshold of 0 it never opens; with 1% of 10 answers the first fault opens it")
    func thresholds() {
        let never = Subject(threshold: 0)
        never.admit(.fault, 1000)
        #expect(!never.isOpen)
        let eager = Subject(threshold: 1, window: 10)
        eager.admit(.fault, 1)
        #expect(eager.isOpen)
    }
}
