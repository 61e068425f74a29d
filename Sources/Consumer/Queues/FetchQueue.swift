/// Requests whose image is to be read: those that came in, in their order, and those to be tried again at a later time.
///
/// The poll thread and the I/O threads put in, the I/O threads take out. A request that waits for its next attempt holds
/// no thread. Unbounded in itself: the window bounds what can be in it.
final class FetchQueue<Job: Sendable>: Sendable {
    private struct State: Sendable {
        var ready: [Job] = []
        var head = 0
        /// Sorted by time, the earliest last. Short: only what is being retried.
        var later: [(time: MonotonicTime, job: Job)] = []
        var isClosed = false

        mutating func takeReady() -> Job? {
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

    func put(_ job: Job) {
        state.update { $0.ready.append(job) }
    }

    func put(_ job: Job, at time: MonotonicTime) {
        state.update { state in
            let index = state.later.firstIndex { $0.time <= time } ?? state.later.endIndex
            state.later.insert((time, job), at: index)
        }
    }

    /// Waits for the next request; nil once the queue is closed.
    func take() -> Job? {
        state.wait { state in
            if state.isClosed { return .finish(nil) }
            if let next = state.later.last, next.time <= .now {
                state.later.removeLast()
                return .finish(next.job)
            }
            if let job = state.takeReady() { return .finish(job) }
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
