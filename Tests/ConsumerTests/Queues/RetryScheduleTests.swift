import Testing

@testable import Consumer

@Suite("The schedule of retries")
struct RetryScheduleTests {
    @Test("delays double, within a quarter of jitter")
    func exponential() {
        let schedule = RetrySchedule(budget: .seconds(100))
        for (attempts, milliseconds) in [(1, 50), (2, 100), (3, 200), (6, 1600)] {
            let delay = { schedule.delay(afterAttempts: attempts, elapsed: .zero, jitter: $0) }
            #expect(delay(0) == .milliseconds(Double(milliseconds) * 0.75))
            #expect(delay(0.5) == .milliseconds(milliseconds))
            #expect(delay(1) == .milliseconds(Double(milliseconds) * 1.25))
        }
    }

    @Test("the budget is used in full, and never passed", arguments: [0.0, 0.3, 0.999])
    func budget(jitter: Double) {
        let schedule = RetrySchedule(budget: .seconds(2))
        var elapsed = Duration.zero
        var attempts = 1
        while let delay = schedule.delay(afterAttempts: attempts, elapsed: elapsed, jitter: jitter) {
            #expect(delay > .zero)
            elapsed += delay
            attempts += 1
        }
        #expect(elapsed == .seconds(2))
        #expect((6...9).contains(attempts))
    }

    @Test("no budget, no second attempt; and many attempts do not overflow")
    func extremes() {
        #expect(RetrySchedule(budget: .zero).delay(afterAttempts: 1, elapsed: .zero, jitter: 0) == nil)
        let year = RetrySchedule(budget: .seconds(31_536_000))
        #expect(year.delay(afterAttempts: 1_000_000, elapsed: .seconds(1), jitter: 1) != nil)
    }

    @Test("a storage that is away is looked for at intervals that double up to five seconds, for as long as it takes")
    func storage() {
        for (waits, milliseconds) in [(0, 250), (1, 500), (4, 4000), (5, 5000), (1_000_000, 5000)] {
            let shortest = RetrySchedule.storageDelay(afterWaits: waits, jitter: 0)
            let longest = RetrySchedule.storageDelay(afterWaits: waits, jitter: 1)
            #expect(shortest == .milliseconds(milliseconds) * 0.75)
            #expect(longest == .milliseconds(milliseconds) * 1.25)
        }
    }
}
