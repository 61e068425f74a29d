/// Whether so many of the recent answers are failures of the worker's surroundings, rather than of single images, that the worker
/// had better stop answering: the circuit breaker pattern (Michael Nygard, "Release It!", 2007).
///
/// Closed, it counts. It opens when the faults among the last `window` answers reach the threshold's share of a full window, so
/// that a few failures after the start never open it. Open, one request is let through at intervals; the first that
/// succeeds closes it, and counting begins anew. A value type without locks: the `AnswerDesk` owns it.
struct CircuitBreaker: Sendable {
    struct Settings: Sendable {
        /// Per cent of the window; 0: it never opens.
        var threshold = 50
        /// Answers.
        var window = 100
        /// How often one request is tried while it is open.
        var interval = Duration.seconds(5)
    }

    enum Outcome: Sendable {
        /// A caption.
        case success
        /// What the breaker counts: the storage, the model or the worker may be at fault.
        case fault
        /// Any other failure: the caller's own.
        case refusal
    }

    private let settings: Settings
    /// The last `window` outcomes, whether each was a fault; `next` is the oldest once it is full.
    private var recent: [Bool] = []
    private var next = 0
    private var faults = 0
    private var nextTrial: MonotonicTime?

    init(_ settings: Settings) { self.settings = settings }

    var isOpen: Bool { nextTrial != nil }

    /// Takes an outcome in. Whether the answer may go out; if not, its request is to be kept until the breaker is closed.
    /// - Parameter isTrial: whether the request was let through while the breaker was open.
    mutating func admit(_ outcome: Outcome, isTrial: Bool, now: MonotonicTime) -> Bool {
        guard isOpen else {
            count(isFault: outcome == .fault)
            if settings.threshold > 0, faults >= faultsToOpen { nextTrial = now + settings.interval }
            return true
        }
        if isTrial, outcome == .success { close() }
        return isTrial || outcome != .fault
    }

    /// Whether it is time to try one request. True once an interval.
    mutating func isTrialDue(now: MonotonicTime) -> Bool {
        guard let nextTrial, now >= nextTrial else { return false }
        self.nextTrial = now + settings.interval
        return true
    }

    /// At least one.
    private var faultsToOpen: Int { max(1, (settings.threshold * settings.window + 99) / 100) }

    private mutating func count(isFault: Bool) {
        if recent.count < settings.window {
            recent.append(isFault)
        } else {
            if recent[next] { faults -= 1 }
            recent[next] = isFault
            next = (next + 1) % settings.window
        }
        if isFault { faults += 1 }
    }

    private mutating func close() {
        nextTrial = nil
        recent = []
        next = 0
        faults = 0
    }
}
