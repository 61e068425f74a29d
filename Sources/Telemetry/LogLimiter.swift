import Synchronization

/// Lets one message of a kind through in each interval, and counts the others, so that a storm of the same trouble is
/// one line.
///
/// ```swift
/// if let suppressed = limiter.admit("image_corrupt") {
///     logger.warning("corrupt image", metadata: ["suppressed": .integer(suppressed)])
/// }
/// ```
public final class LogLimiter: Sendable {
    private struct Kind {
        var lastAdmitted: ContinuousClock.Instant
        var suppressed = 0
    }

    private let interval: Duration
    private let kinds = Mutex<[String: Kind]>([:])

    public init(interval: Duration) { self.interval = interval }

    /// How many of the kind were held back since the last one let through, or nil if this one is to be held back too.
    /// Kinds are a few fixed names, never input: each is remembered.
    public func admit(_ kind: String, now: ContinuousClock.Instant = .now) -> Int? {
        kinds.withLock { kinds in
            guard let known = kinds[kind], now - known.lastAdmitted < interval else {
                let suppressed = kinds[kind]?.suppressed ?? 0
                kinds[kind] = Kind(lastAdmitted: now)
                return suppressed
            }
            kinds[kind]?.suppressed += 1
            return nil
        }
    }
}
