import Synchronization
import Testing

@testable import Consumer

@Suite("The queues between the threads")
struct QueueTests {
    @Test("a micro-batch is at most ceil(waiting ÷ free threads), and at most the maximum")
    func microBatch() {
        #expect(MicroBatch.size(waiting: 0, free: 2, maximum: 8) == 0)
        #expect(MicroBatch.size(waiting: 1, free: 4, maximum: 8) == 1)
        #expect(MicroBatch.size(waiting: 5, free: 2, maximum: 8) == 3)
        #expect(MicroBatch.size(waiting: 100, free: 1, maximum: 8) == 8)
        #expect(MicroBatch.size(waiting: 8, free: 8, maximum: 8) == 1)
        #expect(MicroBatch.size(waiting: 3, free: 0, maximum: 8) == 3)
    }

    @Test("work comes in order, and delayed work when its time has come")
    func timedOrder() {
        let queue = TimedQueue<Int>()
        let now = MonotonicTime.now
        queue.put(1)
        queue.put(12, at: now + .milliseconds(40))
        queue.put(11, at: now + .milliseconds(20))
        queue.put(2)
        #expect((0..<4).map { _ in queue.take() } == [1, 2, 11, 12])
        #expect(MonotonicTime.now >= now + .milliseconds(40))
    }

    @Test("what is due goes before what just came")
    func due() {
        let queue = TimedQueue<Int>()
        queue.put(1)
        queue.put(2, at: .now)
        #expect(queue.take() == 2)
        queue.close()
        #expect(queue.take() == nil)
    }

    @Test("a full image queue makes the reader wait; one image always fits an empty one")
    func byteBound() throws {
        let queue = ImageQueue<Int>(limits: .init(images: 10_000, bytes: 100))
        #expect(queue.reserve(bytes: 1000))
        let second = Mutex(false)
        let reader = try WorkerThread(name: "reader", stackBytes: 1 << 18) {
            #expect(queue.reserve(bytes: 60))
            second.withLock { $0 = true }
            queue.put(7)
        }
        #expect(second.withLock { !$0 })
        queue.release(bytes: 1000)
        #expect(queue.takeBatch(maximum: 8) == [7])
        reader.join()
        #expect(queue.reserve(bytes: 40))
        queue.close()
        #expect(!queue.reserve(bytes: 1))
        #expect(queue.takeBatch(maximum: 8) == nil)
    }

    @Test("threads share what waits; nothing is lost or doubled")
    func sharing() throws {
        let queue = ImageQueue<Int>(limits: .init(images: 10_000, bytes: 100))
        let taken = Mutex<[Int]>([])
        let threads = try (0..<4).map { number in
            try WorkerThread(name: "pool-\(number)", stackBytes: 1 << 18) {
                while let batch = queue.takeBatch(maximum: 3) {
                    #expect((1...3).contains(batch.count))
                    let count = taken.withLock {
                        $0 += batch
                        return $0.count
                    }
                    for item in batch { queue.release(bytes: item % 50) }
                    if count == 5000 { queue.close() }
                }
            }
        }
        for item in 0..<5000 {
            #expect(queue.reserve(bytes: item % 50))
            queue.put(item)
        }
        for thread in threads { thread.join() }
        #expect(taken.withLock { $0.sorted() } == Array(0..<5000))
    }

    @Test("a large image is not overtaken for ever by small ones")
    func largeReservation() throws {
        let queue = ImageQueue<Int>(limits: .init(images: 10_000, bytes: 100))
        #expect(queue.reserve(bytes: 50) && queue.reserve(bytes: 45))
        let large = Mutex(false)
        let small = Mutex(0)
        let waiting = try WorkerThread(name: "large", stackBytes: 1 << 18) {
            #expect(queue.reserve(bytes: 60))
            large.withLock { $0 = true }
            queue.release(bytes: 60)
        }
        // They take what is given back each time, until the large one has had its turn.
        let threads = try (0..<3).map { _ in
            try WorkerThread(name: "small", stackBytes: 1 << 18) {
                while !large.withLock({ $0 }), queue.reserve(bytes: 45) {
                    small.withLock { $0 += 1 }
                    queue.release(bytes: 45)
                }
            }
        }
        queue.release(bytes: 45)
        queue.release(bytes: 50)
        waiting.join()
        for thread in threads { thread.join() }
        #expect(large.withLock { $0 })
    }

    @Test("threads take turns among topics, batches are of one topic, and live images interrupt a bulk batch")
    func topics() {
        let queue = ImageQueue<String>(
            limits: .init(images: 10_000, bytes: 1 << 20), topics: TopicWeights([("live", 8), ("bulk", 1)]))
        for number in 0..<16 { queue.put("bulk-\(number)", topic: 1) }
        #expect(queue.takeBatch(maximum: 8)?.count == 8)
        #expect(!queue.shouldYield(topic: 1, begun: 1, of: 8))
        queue.put("live-0", topic: 0)
        #expect(queue.shouldYield(topic: 1, begun: 1, of: 8))
        queue.putBack((1..<8).map { "bulk-\($0)" }, topic: 1)
        #expect(queue.takeBatch(maximum: 8) == ["live-0"])
        #expect(queue.takeBatch(maximum: 4) == (1..<5).map { "bulk-\($0)" })
        #expect(queue.waitingCount == 11)
    }

    @Test("bytes of bulk images leave room for live ones")
    func sharedBytes() {
        let queue = ImageQueue<String>(
            limits: .init(images: 10_000, bytes: 180), topics: TopicWeights([("live", 8), ("bulk", 1)]))
        for _ in 0..<10 { #expect(queue.reserve(bytes: 10, topic: 1)) }
        // A further bulk image would wait here; a live one does not.
        for _ in 0..<8 { #expect(queue.reserve(bytes: 10, topic: 0)) }
        queue.release(bytes: 20, topic: 1)
        #expect(queue.reserve(bytes: 10, topic: 1))
    }

    @Test("a reader passes over a topic whose images have no place left, and comes back to it when one is given back")
    func places() throws {
        let topics = TopicWeights([("live", 8), ("bulk", 1)])
        let requests = TimedQueue<Int>(topics: topics)
        let images = ImageQueue<Int>(
            limits: .init(images: 18, bytes: 1 << 20), topics: topics, onPlace: { requests.lookAgain() })
        func take() -> Int? { requests.take(of: { images.hasPlace(topic: $0) }) }
        requests.put(contentsOf: Array(0..<20), topic: 1)
        // Nine places are for whoever comes, one is kept for bulk images.
        for number in 0..<10 {
            #expect(take() == number)
            #expect(images.reserve(bytes: 1, topic: 1))
        }
        #expect(!images.hasPlace(topic: 1))
        requests.put(100, topic: 0)
        #expect(take() == 100)
        #expect(images.reserve(bytes: 1, topic: 0))

        let next = Mutex<Int?>(nil)
        let reader = try WorkerThread(name: "reader", stackBytes: 1 << 18) {
            let taken = requests.take(of: { images.hasPlace(topic: $0) })
            next.withLock { $0 = taken }
        }
        images.release(images: 3, bytes: 3, topic: 1)
        reader.join()
        #expect(next.withLock { $0 } == 10)
    }

    @Test("requests are taken by turns, in order within a topic, several at once if wanted")
    func turns() {
        let queue = TimedQueue<Int>(topics: TopicWeights([("live", 2), ("bulk", 1)]))
        queue.put(contentsOf: Array(0..<100), topic: 1)
        queue.put(contentsOf: Array(1000..<1100), topic: 0)
        let taken = (0..<30).compactMap { _ in queue.take() }
        #expect(taken.filter { $0 < 1000 } == Array(0..<10))
        #expect(taken.filter { $0 >= 1000 } == Array(1000..<1020))
        #expect(queue.take(maximum: 8)?.count == 8)
        queue.put(7, at: .now)
        #expect(queue.take(maximum: 8) == [7])
    }

    @Test("first in, first out, whatever is put back")
    func fifo() {
        var fifo = FIFO<Int>()
        var next = 0
        for round in 0..<200 {
            fifo.append(contentsOf: (round * 10)..<(round * 10 + 10))
            let taken = fifo.takeFirst(7)
            #expect(taken.first == next)
            fifo.putBack(taken[3...])
            next += 3
            #expect(fifo.takeFirst() == next)
            next += 1
        }
        #expect(fifo.count == 2000 - next)
        #expect(fifo.takeFirst(5000) == Array(next..<2000))
        #expect(fifo.takeFirst() == nil)
        #expect(fifo.isEmpty)
    }
}
