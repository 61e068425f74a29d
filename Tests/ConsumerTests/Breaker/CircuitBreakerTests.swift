import Messaging
import Testing

@testable import Consumer

@Suite("The circuit breaker") struct CircuitBreakerTests {
    private let start = MonotonicTime(nanoseconds: 0)

    private func breaker(threshold: Int = 50, window: Int = 100) -> CircuitBreaker {
        CircuitBreaker(.init(threshold: threshold, window: window, interval: .seconds(5)))
    }

    /// Puts outcomes in; whether each went out.
    @discardableResult
    private func admit(_ outcome: CircuitBreaker.Outcome, _ count: Int, into breaker: inout CircuitBreaker) -> [Bool] {
        (0..<count).map { _ in breaker.admit(outcome, isTrial: false, now: start) }
    }

    @Test("a few failures before the window is full do not open it; half a window of them does")
    func opens() {
        var breaker = breaker()
        admit(.fault, 49, into: &breaker)
        #expect(!breaker.isOpen)
        admit(.fault, 1, into: &breaker)
        #expect(breaker.isOpen)
    }

    @Test("what has left the window does not count")
    func window() {
        var breaker = breaker()
        admit(.fault, 49, into: &breaker)
        admit(.success, 100, into: &breaker)
        admit(.fault, 49, into: &breaker)
        #expect(!breaker.isOpen)
        admit(.fault, 1, into: &breaker)
        #expect(breaker.isOpen)
    }

    @Test("callers' own failures never open it")
    func refusals() {
        var breaker = breaker()
        admit(.refusal, 1000, into: &breaker)
        #expect(!breaker.isOpen)
        for code in ErrorCode.allCases {
            let counts: Set<ErrorCode> = [.internal, .imageUnreadable, .imageNotFound, .modelUnknown]
            #expect((CircuitBreaker.Outcome(code) == .fault) == counts.contains(code))
        }
    }

    @Test("open, faults are kept, and whatever else is under way goes out without closing it")
    func open() {
        var breaker = breaker(window: 10)
        #expect(admit(.fault, 5, into: &breaker) == Array(repeating: true, count: 5))
        #expect(admit(.fault, 3, into: &breaker) == [false, false, false])
        #expect(admit(.success, 3, into: &breaker) == [true, true, true])
        #expect(admit(.refusal, 1, into: &breaker) == [true])
        #expect(breaker.isOpen)
    }

    @Test("one request is tried an interval; a fault is answered and leaves it open, a success closes it")
    func trial() {
        var breaker = breaker(window: 10)
        admit(.fault, 5, into: &breaker)
        #expect(!breaker.isTrialDue(now: start + .seconds(4)))
        #expect(breaker.isTrialDue(now: start + .seconds(5)))
        #expect(!breaker.isTrialDue(now: start + .seconds(5)))
        #expect(breaker.admit(.fault, isTrial: true, now: start))
        #expect(breaker.isOpen)
        #expect(breaker.isTrialDue(now: start + .seconds(10)))
        #expect(breaker.admit(.refusal, isTrial: true, now: start))
        #expect(breaker.isOpen)
        #expect(breaker.admit(.success, isTrial: true, now: start))
        #expect(!breaker.isOpen)
        // Counting begins anew.
        admit(.fault, 4, into: &breaker)
        #expect(!breaker.isOpen)
        admit(.fault, 1, into: &breaker)
        #expect(breaker.isOpen)
    }

    @Test("with a threshold of 0 it never opens; with 1% of 10 answers the first fault opens it")
    func thresholds() {
        var never = breaker(threshold: 0)
        admit(.fault, 1000, into: &never)
        #expect(!never.isOpen)
        var eager = breaker(threshold: 1, window: 10)
        admit(.fault, 1, into: &eager)
        #expect(eager.isOpen)
    }
}
