/// Images that have been read and wait for a thread of the pool, bounded in bytes.
///
/// An I/O thread reserves an image's bytes before it reads them and waits while there is no room; the pool gives them
/// back when it has decoded the image. One image of a topic that has none here always fits, however large, so nothing can
/// wait for ever. Pool threads take micro-batches of what is waiting, each of one topic, and never wait for more; topics take
/// turns by weight.
final class ImageQueue<Item: Sendable>: Sendable {
    private struct State: Sendable {
        var turns: WeightedTurns
        /// One a topic.
        var waiting: [FIFO<Item>]
        var bytes: SharedRoom
        var freeThreads = 0
        var isClosed = false
    }

    private let state: Monitor<State>

    init(byteLimit: Int, topics: TopicWeights = .single) {
        state = Monitor(
            State(
                turns: WeightedTurns(topics), waiting: Array(repeating: FIFO(), count: topics.count),
                bytes: SharedRoom(limit: byteLimit, topics: topics)))
    }

    /// Waits until `bytes` fit. False when the queue is closed.
    func reserve(bytes: Int, topic: Int = 0) -> Bool {
        state.wait { state in
            if state.isClosed { return .finish(false) }
            guard state.bytes.taken(by: topic) == 0 || bytes <= state.bytes.free(for: topic) else { return .wait }
            state.bytes.take(bytes, for: topic)
            return .finish(true)
        }
    }

    func release(bytes: Int, topic: Int = 0) {
        state.update { $0.bytes.give(bytes, of: topic) }
    }

    func put(_ item: Item, topic: Int = 0) {
        state.update { $0.waiting[topic].append(item) }
    }

    /// Waits for images and takes a micro-batch of them; nil once the queue is closed.
    func takeBatch(maximum: Int) -> [Item]? {
        state.withLock { $0.freeThreads += 1 }
        return state.wait { state in
            if state.isClosed { return .finish(nil) }
            guard let topic = state.turns.next(where: { !state.waiting[$0].isEmpty }) else { return .wait }
            let count = MicroBatch.size(
                waiting: state.waiting[topic].count, free: state.freeThreads, maximum: maximum)
            let batch = state.waiting[topic].takeFirst(count)
            state.turns.charge(topic, count)
            state.freeThreads -= 1
            return .finish(batch)
        }
    }

    /// Puts back the end of a micro-batch that was not begun: it is the first of its topic again.
    func putBack(_ items: [Item], topic: Int) {
        if items.isEmpty { return }
        state.update { state in
            state.waiting[topic].putBack(items)
            state.turns.refund(topic, items.count)
        }
    }

    /// Whether a thread that has begun `done` of the `count` images which it took of a topic should leave the others for
    /// now: a heavier topic has work, and it is its turn.
    func shouldYield(topic: Int, begun: Int, of count: Int) -> Bool {
        state.withLock { state in
            var turns = state.turns
            turns.refund(topic, count - begun)
            let next = turns.next { $0 == topic || !state.waiting[$0].isEmpty }
            return next.map { turns.isHeavier($0, than: topic) } ?? false
        }
    }

    var waitingCount: Int { state.withLock { $0.waiting.reduce(0) { $0 + $1.count } } }

    /// Whoever waits goes home; what is queued is dropped.
    func close() {
        state.update { state in
            state.isClosed = true
            state.waiting = state.waiting.map { _ in FIFO() }
        }
    }
}
