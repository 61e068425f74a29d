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
        let queue = ImageQueue<Int>(byteLimit: 100)
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
        let queue = ImageQueue<Int>(byteLimit: 100)
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
}
