import Telemetry
import Testing

struct LogLimiterTests {
    @Test func oneInAnInterval() {
        let limiter = LogLimiter(interval: .seconds(10))
        let start = ContinuousClock.now
        #expect(limiter.admit("a", now: start) == 0)
        #expect(limiter.admit("a", now: start + .seconds(1)) == nil)
        #expect(limiter.admit("a", now: start + .seconds(9)) == nil)
        #expect(limiter.admit("b", now: start + .seconds(9)) == 0)
        #expect(limiter.admit("a", now: start + .seconds(10)) == 2)
        #expect(limiter.admit("a", now: start + .seconds(20)) == 0)
    }
}
