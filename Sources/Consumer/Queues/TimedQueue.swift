/// Work in the order it came in, by turns among topics, and work that is to be done at a later time, which goes first once
/// that has come. Work that waits for its time holds no thread.
///
/// Any thread may put in; those that do the work take out. Unbounded in itself: the window bounds what can be in it.
final class TimedQueue<Work: Sendable>: Sendable {
    private struct State: Sendable {
        var turns: WeightedTurns
        /// One a topic.
        var ready: [FIFO<Work>]
        /// Sorted by time, the earliest last. Short: only what has failed.
        var later: [(time: MonotonicTime, work: Work)] = []
        var isClosed = false

        mutating func takeDue() -> Work? {
            guard let next = later.last, next.time <= .now else { return nil }
            return later.removeLast().work
        }

        mutating func takeReady(maximum: Int, of isWelcome: (Int) -> Bool) -> [Work] {
            guard let topic = turns.next(where: { !ready[$0].isEmpty && isWelcome($0) }) else { return [] }
            let work = ready[topic].takeFirst(maximum)
            turns.charge(topic, work.count)
            return work
        }
    }

    private let state: Monitor<State>

    init(topics: TopicWeights = .single) {
        state = Monitor(
            State(turns: WeightedTurns(topics), ready: Array(repeating: FIFO<Work>(), count: max(1, topics.count))))
    }

    func put(_ work: Work, topic: Int = 0) {
        state.updateForOne { $0.ready[topic].append(work) }
    }

    func put(contentsOf work: [Work], topic: Int = 0) {
        if work.isEmpty { return }
        state.update { $0.ready[topic].append(contentsOf: work) }
    }

    func put(_ work: Work, at time: MonotonicTime) {
        state.update { state in
            let index = state.later.firstIndex { $0.time <= time } ?? state.later.endIndex
            state.later.insert((time, work), at: index)
        }
    }

    /// How much waits, that which waits for its time included.
    var count: Int { state.withLock { $0.ready.reduce($0.later.count) { $0 + $1.count } } }

    /// Waits for the next work of a topic that is welcome, or that has become due; nil once the queue is closed.
    ///
    /// - Parameter isWelcome: called with a lock held. Whoever makes a topic welcome calls `lookAgain`.
    func take(of isWelcome: (_ topic: Int) -> Bool = { _ in true }) -> Work? { take(maximum: 1, of: isWelcome)?.first }

    /// Waits for work and takes what is there, at most `maximum`, all of one topic; nil once the queue is closed.
    func take(maximum: Int, of isWelcome: (_ topic: Int) -> Bool = { _ in true }) -> [Work]? {
        state.wait { state in
            if state.isClosed { return .finish(nil) }
            // A thread that was woken for ready work may take what has become due in its place: then others must look.
            if let due = state.takeDue() { return .finish([due]) }
            let work = state.takeReady(maximum: maximum, of: isWelcome)
            if !work.isEmpty { return .finishAlone(work) }
            return state.later.last.map { .waitUntil($0.time) } ?? .wait
        }
    }

    /// Lets those who wait look whether another topic is welcome now.
    func lookAgain() { state.update { _ in } }

    /// Whoever waits goes home; what is queued is dropped.
    func close() {
        state.update { state in
            state.isClosed = true
            state.ready = state.ready.map { _ in FIFO() }
            state.later = []
        }
    }
}
