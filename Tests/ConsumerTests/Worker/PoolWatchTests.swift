import Messaging
import Testing

@testable import Consumer

@Suite("What the pool's threads are at") struct PoolWatchTests {
    private let clock = RunningClock()
    private let watch: PoolWatch

    init() {
        watch = PoolWatch(threads: 2, maximumBatch: 4, imageTimeout: .seconds(1), clock: clock, journal: nil)
    }

    private func messages(_ offsets: ClosedRange<Int64>) -> [KafkaMessage] {
        offsets.map { KafkaMessage(topic: "t", partition: 0, offset: $0, timestamp: 0) }
    }

    @Test("a thread in one image for more than three deadlines hangs in that image")
    func image() {
        _ = watch.takePost()
        let post = watch.takePost()
        post.begin(messages(10...12))
        for index in 0...2 {
            post.enter(index)
            clock.advance(by: .seconds(3))
            #expect(watch.hang() == nil)
        }
        post.enter(1)
        clock.advance(by: .milliseconds(3001))
        #expect(watch.hang()?.slots == [5])
        #expect(watch.hang()?.requests == ["t[0]@11"])
    }

    @Test("in what is done for all together, all that are not answered may be to blame")
    func together() {
        let post = watch.takePost()
        post.begin(messages(10...12))
        post.enter(nil)
        post.answered(1)
        clock.advance(by: .seconds(4))
        #expect(watch.hang()?.slots == [0, 2])
        post.end()
        #expect(watch.hang() == nil)
    }
}
