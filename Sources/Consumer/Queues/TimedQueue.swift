/// Work in the order it came in, and work that is to be done at a later time, which goes first once that has come. Work
/// that waits for its time holds no thread.
///
/// Any thread may put in; those that do the work take out. Unbounded in itself: the window bounds what can be in it.
final class TimedQueue<Work: Sendable>: Sendable {
    private struct State: Sendable {
        var ready: [Work] = []
        var head = 0
        /// Sorted by time, the earliest last. Short: only what has failed.
        var later: [(time: MonotonicTime, work: Work)] = []
        var isClosed = false

        mutating func takeReady() -> Work? {
            guard head < ready.count else { return nil }
            defer {
                head += 1
                if head > 256, head * 2 > ready.count {
                    ready.removeFirst(head)
                    head = 0
                }
            }
            return ready[head]
        }
    }

    private let state = Monitor(State())

    func put(_ work: Work) {
        state.update { $0.ready.append(work) }
    }

    func put(_ work: Work, at time: MonotonicTime) {
        state.update { state in
            let index = state.later.firstIndex { $0.time <= time } ?? state.later.endIndex
            state.later.insert((time, work), at: index)
        }
    }

    /// How much waits, that which waits for its time included.
    var count: Int { state.withLock { $0.ready.count - $0.head + $0.later.count } }

    /// Waits for the next work; nil once the queue is closed.
    func take() -> Work? {
        state.wait { state in
            if state.isClosed { return .finish(nil) }
            if let next = state.later.last, next.time <= .now {
                state.later.removeLast()
                return .finish(next.work)
            }
            if let work = state.takeReady() { return .finish(work) }
            return state.later.last.map { .waitUntil($0.time) } ?? .wait
        }
    }

    /// Whoever waits goes home; what is queued is dropped.
    func close() {
        state.update { state in
            state.isClosed = true
            state.ready = []
            state.head = 0
            state.later = []
        }
    }
}
