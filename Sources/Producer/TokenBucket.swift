/// Spreads events evenly at a rate: a token bucket that lends. Each event takes a token at once and is told how long to wait
/// until the token is really there.
struct TokenBucket {
    private let rate: Double
    private let capacity: Double
    private var tokens: Double
    private var last: Duration

    /// - Parameters:
    ///   - rate: events a second.
    ///   - now: the time of an arbitrary clock, as in `take`.
    ///
    /// At most a tenth of a second's events, and one at least, come without a wait after a pause.
    init(rate: Double, now: Duration) {
        self.rate = rate
        capacity = max(1, rate / 10)
        tokens = 1
        last = now
    }

    /// Takes a token; returns how long to wait before the event.
    mutating func take(now: Duration) -> Duration {
        tokens = min(capacity, tokens + (now - last) / .seconds(1) * rate) - 1
        last = now
        return tokens >= 0 ? .zero : .seconds(-tokens / rate)
    }
}
