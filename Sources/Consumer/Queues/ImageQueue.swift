/// Images that have been read and wait for a thread of the pool, bounded in number and in bytes.
///
/// An I/O thread takes a request only of a topic that `hasPlace` for one more image. It reserves the image's bytes before it reads
/// them and waits while there is no room; the pool gives them back when the image is captioned. One image of a topic that has none
/// here always fits, however large, and those of a topic are served in the order in which they ask, so nothing can wait for ever.
/// Pool threads take micro-batches of what is waiting, each of one topic, and never wait for more; topics take turns by weight.
///
/// The number is looked at before a request is taken and not when bytes are reserved, so that no thread that might read an image of
/// another topic waits for it; images that are being read may therefore come on top of the limit.
final class ImageQueue<Item: Sendable>: Sendable {
    /// Of images that are reserved for, wait, or are with the pool.
    struct Limits: Sendable {
        var images: Int
        var bytes: Int
    }

    private struct State: Sendable {
        var turns: WeightedTurns
        /// One a topic.
        var waiting: [FIFO<Item>]
        var places: SharedRoom
        var bytes: SharedRoom
        /// Of each topic: the numbers that reservations draw, and the one whose turn it is.
        var drawn: [Int]
        var served: [Int]
        var freeThreads = 0
        var isClosed = false
    }

    private let state: Monitor<State>
    private let onPlace: @Sendable () -> Void

    /// - Parameter onPlace: called, without a lock held, when places have become free.
    init(limits: Limits, topics: TopicWeights = .single, onPlace: @escaping @Sendable () -> Void = {}) {
        self.onPlace = onPlace
        state = Monitor(
            State(
                turns: WeightedTurns(topics), waiting: Array(repeating: FIFO(), count: topics.count),
                places: SharedRoom(limit: limits.images, topics: topics),
                bytes: SharedRoom(limit: limits.bytes, topics: topics),
                drawn: Array(repeating: 0, count: topics.count), served: Array(repeating: 0, count: topics.count)))
    }

    /// Whether there is a place for one more image of the topic.
    func hasPlace(topic: Int) -> Bool {
        state.withLock { $0.places.taken(by: topic) == 0 || $0.places.free(for: topic) > 0 }
    }

    /// Waits until an image's `bytes` fit. False when the queue is closed.
    func reserve(bytes: Int, topic: Int = 0) -> Bool {
        let turn = state.withLock { state in
            defer { state.drawn[topic] += 1 }
            return state.drawn[topic]
        }
        return state.wait { state in
            if state.isClosed { return .finish(false) }
            guard turn == state.served[topic],
                state.bytes.taken(by: topic) == 0 || bytes <= state.bytes.free(for: topic)
            else { return .wait }
            state.served[topic] += 1
            state.places.take(1, for: topic)
            state.bytes.take(bytes, for: topic)
            return .finish(true)
        }
    }

    /// Gives back what was reserved for images.
    func release(images: Int = 1, bytes: Int, topic: Int = 0) {
        state.update { state in
            state.places.give(images, of: topic)
            state.bytes.give(bytes, of: topic)
        }
        onPlace()
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
