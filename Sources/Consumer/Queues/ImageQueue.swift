/// Images that have been read and wait for a thread of the pool, bounded in bytes.
///
/// An I/O thread reserves an image's bytes before it reads them and waits while there is no room; the pool gives them
/// back when it has decoded the image. One image always fits an empty queue, however large, so nothing can wait for ever.
/// Pool threads take micro-batches of what is waiting and never wait for more.
final class ImageQueue<Item: Sendable>: Sendable {
    private struct State: Sendable {
        var waiting: [Item] = []
        var reservedBytes = 0
        var freeThreads = 0
        var isClosed = false
    }

    private let byteLimit: Int
    private let state = Monitor(State())

    init(byteLimit: Int) { self.byteLimit = byteLimit }

    /// Waits until `bytes` fit. False when the queue is closed.
    func reserve(bytes: Int) -> Bool {
        state.wait { state in
            if state.isClosed { return .finish(false) }
            guard state.reservedBytes == 0 || state.reservedBytes + bytes <= byteLimit else { return .wait }
            state.reservedBytes += bytes
            return .finish(true)
        }
    }

    func release(bytes: Int) {
        state.update { $0.reservedBytes -= bytes }
    }

    func put(_ item: Item) {
        state.update { $0.waiting.append(item) }
    }

    /// Waits for images and takes a micro-batch of them; nil once the queue is closed.
    func takeBatch(maximum: Int) -> [Item]? {
        state.withLock { $0.freeThreads += 1 }
        return state.wait { state in
            if state.isClosed { return .finish(nil) }
            let count = MicroBatch.size(waiting: state.waiting.count, free: state.freeThreads, maximum: maximum)
            guard count > 0 else { return .wait }
            let batch = Array(state.waiting.prefix(count))
            state.waiting.removeFirst(count)
            state.freeThreads -= 1
            return .finish(batch)
        }
    }

    var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Whoever waits goes home; what is queued is dropped.
    func close() {
        state.update { state in
            state.isClosed = true
            state.waiting = []
        }
    }
}
