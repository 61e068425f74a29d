/// When a request that met a transient error is tried again: exponential back-off with jitter, within a budget counted
/// from the first failure. The last attempt is made when the budget ends, so that it is used in full.
struct RetrySchedule: Sendable {
    var budget: Duration
    var firstDelay: Duration = .milliseconds(50)

    /// How long a request waits before it looks again for a storage that is away.
    /// - Parameters:
    ///   - waits: how often it has waited before.
    ///   - jitter: a random number from 0 up to 1; the delay is 75% to 125% of the exponential one.
    static func storageDelay(afterWaits waits: Int, jitter: Double) -> Duration {
        min(.milliseconds(250) * (1 << min(waits, 5)), .seconds(5)) * (0.75 + 0.5 * jitter)
    }

    /// - Parameters:
    ///   - attempts: made so far, at least 1.
    ///   - elapsed: since the first of them failed.
    ///   - jitter: a random number from 0 up to 1; the delay is 75% to 125% of the exponential one.
    /// - Returns: How long to wait before the next attempt; nil when the budget is used up.
    func delay(afterAttempts attempts: Int, elapsed: Duration, jitter: Double) -> Duration? {
        let remaining = budget - elapsed
        guard remaining > .zero else { return nil }
        let exponential = firstDelay * (1 << min(max(attempts - 1, 0), 20))
        return min(exponential * (0.75 + 0.5 * jitter), remaining)
    }
}
