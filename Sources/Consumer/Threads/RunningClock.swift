import Synchronization

/// Time as far as this process ran: it stands still while the process is stopped (SIGSTOP, a machine asleep), so that nobody
/// is found late for time that was not theirs. One thread advances it, about every `interval`; its steps are its precision.
final class RunningClock: Sendable {
    static let interval = Duration.milliseconds(100)

    private let nanoseconds = Atomic<Int64>(0)
    private let last = Mutex(MonotonicTime.now)

    var now: MonotonicTime { MonotonicTime(nanoseconds: nanoseconds.load(ordering: .relaxed)) }

    /// Adds what has passed since the last time, but no more than a thread that is being run could be late.
    func advance(to time: MonotonicTime = .now) {
        let passed = last.withLock { last in
            defer { last = time }
            return time - last
        }
        advance(by: min(max(.zero, passed), Self.interval * 5))
    }

    func advance(by duration: Duration) { nanoseconds.add(duration.nanoseconds, ordering: .relaxed) }
}
