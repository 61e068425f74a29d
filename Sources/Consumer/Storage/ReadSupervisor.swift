import Telemetry

/// Keeps a set number of threads reading, however many calls into the storage never return.
///
/// A call that is past its deadline is given up: whoever supervises takes the request over, and a new thread takes the
/// place of the one that hangs. That one ends when its call returns, or takes up work again if it is needed. So many may hang
/// and no more: then the storage counts as away until one of them comes back.
final class ReadSupervisor: Sendable {
    /// Threads that may hang before no more are started.
    static let maximumHung = 16

    private struct Call: Sendable {
        let deadline: MonotonicTime
        let onHung: @Sendable () -> Void
    }

    private struct State: Sendable {
        var calls: [Int: Call] = [:]
        var nextNumber = 0
        var working = 0
        var hung = 0
    }

    private let readers: Int
    private let timeout: Duration
    private let clock: RunningClock
    private let limiter = LogLimiter(interval: .seconds(10))
    private let logger: Logger
    private let state = Monitor(State())

    /// - Parameters:
    ///   - readers: threads that are to be at work.
    ///   - timeout: how long one call may take.
    init(readers: Int, timeout: Duration, clock: RunningClock, logger: Logger) {
        self.readers = readers
        self.timeout = timeout
        self.clock = clock
        self.logger = logger
    }

    /// Makes a call that may hang. Nil when it was given up meanwhile: then `onHung` has been called, on another thread, and
    /// this thread must ask `rejoin`.
    func call<Value>(_ body: () -> Value, onHung: @escaping @Sendable () -> Void) -> Value? {
        let call = Call(deadline: clock.now + timeout, onHung: onHung)
        let number = state.withLock { state in
            state.nextNumber += 1
            state.calls[state.nextNumber] = call
            return state.nextNumber
        }
        let result = body()
        return state.withLock { $0.calls.removeValue(forKey: number) != nil } ? result : nil
    }

    /// Whether a thread that had been given up is needed again; if not, it is to end.
    func rejoin() -> Bool {
        state.withLock { state in
            state.hung -= 1
            guard state.working < readers else { return false }
            state.working += 1
            return true
        }
    }

    /// How many threads are to be started now; they count as working from here on. At the start, all.
    func vacancies() -> Int {
        state.withLock { state in
            let count = max(0, min(readers - state.working, readers + Self.maximumHung - state.working - state.hung))
            state.working += count
            return count
        }
    }

    /// A thread that was to fill a vacancy could not be started.
    func leaveVacant() { state.withLock { $0.working -= 1 } }

    /// Gives up what is past its deadline. Called from time to time by one thread.
    func giveUpLateCalls() {
        let now = clock.now
        let late = state.withLock { state in
            let late = state.calls.filter { $0.value.deadline <= now }
            for number in late.keys { state.calls[number] = nil }
            state.working -= late.count
            state.hung += late.count
            return Array(late.values)
        }
        for call in late {
            if let suppressed = limiter.admit("hung") {
                logger.warning(
                    "a call into the storage does not return and is given up",
                    metadata: [
                        "seconds": .number(timeout.seconds), "hung": .integer(hungCount),
                        "suppressed": .integer(suppressed),
                    ])
            }
            call.onHung()
        }
    }

    /// Threads that are in calls which were given up.
    var hungCount: Int { state.withLock { $0.hung } }

    /// Whether nobody is left to read.
    var isExhausted: Bool { state.withLock { $0.working == 0 && $0.hung > 0 } }
}
