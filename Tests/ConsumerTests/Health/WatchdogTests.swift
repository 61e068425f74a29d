import Synchronization
import Telemetry
import Testing

@testable import Consumer
@testable import Messaging

@Suite("The watchdog: partitions with work whose commit watermark stands still")
struct WatchdogTests {
    private let watchdog = Watchdog(timeout: .seconds(60))
    private let partition = TopicPartition(topic: "t", partition: 3)

    private func progress(_ committed: Int64?, epoch: UInt32 = 1, hasWork: Bool = true) -> [PartitionProgress] {
        [PartitionProgress(partition: partition, epoch: epoch, committed: committed, hasWork: hasWork)]
    }

    private func time(_ seconds: Int) -> MonotonicTime { MonotonicTime(nanoseconds: 1) + .seconds(seconds) }

    /// Looks every 10 s from second `first` on; at which second what changed.
    private func look(
        _ first: Int, through last: Int, at progress: [PartitionProgress], isWaiting: Bool = false
    ) -> [Int: Watchdog.Changes] {
        var changes: [Int: Watchdog.Changes] = [:]
        for second in stride(from: first, through: last, by: 10) {
            let change = watchdog.look(at: progress, isWaiting: isWaiting, now: time(second))
            if change != Watchdog.Changes() { changes[second] = change }
        }
        return changes
    }

    @Test("a partition that does not move for the time is told of once, and once more when it moves")
    func stall() {
        let stall = Watchdog.Stall(partition: partition, committed: nil, since: time(0))
        #expect(look(0, through: 200, at: progress(nil)) == [60: .init(stalled: [stall])])
        #expect(watchdog.stalls == [stall])
        #expect(look(210, through: 260, at: progress(5)) == [210: .init(ended: [stall])])
        #expect(watchdog.stalls.isEmpty)
        #expect(look(270, through: 270, at: progress(5))[270]?.stalled.map(\.committed) == [5])
    }

    @Test("idle partitions are not watched; the time begins with the work")
    func idle() {
        #expect(look(0, through: 500, at: progress(7, hasWork: false)).isEmpty)
        #expect(look(510, through: 560, at: progress(7)).isEmpty)
        #expect(look(570, through: 570, at: progress(7)).count == 1)
        // What is done at last, or goes with its assignment, stalls no more.
        #expect(look(580, through: 580, at: progress(7, hasWork: false))[580]?.ended.count == 1)
    }

    @Test("a new assignment begins anew")
    func epochs() {
        #expect(look(0, through: 50, at: progress(7)).isEmpty)
        #expect(look(60, through: 110, at: progress(7, epoch: 2)).isEmpty)
        #expect(look(120, through: 120, at: progress(7, epoch: 2)).count == 1)
    }

    @Test("while the worker waits for Kafka or the storage, nobody is blamed; the time begins anew afterwards")
    func waiting() {
        #expect(look(0, through: 600, at: progress(7), isWaiting: true).isEmpty)
        #expect(look(610, through: 650, at: progress(7)).isEmpty)
        #expect(look(660, through: 660, at: progress(7)).count == 1)
        #expect(look(670, through: 670, at: progress(7), isWaiting: true)[670]?.ended.count == 1)
    }

    @Test("the same while its group has not answered a member that wants to join")
    func joining() throws {
        let readiness = Readiness(logger: Logger(label: "test", form: "text", level: "critical"))
        for condition in Readiness.Condition.allCases { readiness.meet(condition) }
        let consumer = try KafkaConsumer(KafkaConfiguration(bootstrapServers: "127.0.0.1:1"), groupID: "g")
        var isWaiting: Bool { WorkerHealth.isWaiting(readiness, consumer.member) }
        consumer.handle.context.isJoining.store(true, ordering: .releasing)
        #expect(look(0, through: 300, at: progress(7), isWaiting: isWaiting).isEmpty)
        consumer.handle.context.isJoining.store(false, ordering: .releasing)
        #expect(look(310, through: 350, at: progress(7), isWaiting: isWaiting).isEmpty)
        #expect(look(360, through: 360, at: progress(7), isWaiting: isWaiting).count == 1)
        readiness.miss(.storage, because: "away")
        #expect(isWaiting)
        #expect(consumer.close(deadline: .seconds(5)))
    }

    @Test("a process that was stopped as a whole is not blamed for it")
    func stopped() {
        #expect(look(0, through: 10, at: progress(7)).isEmpty)
        #expect(look(500, through: 550, at: progress(7)).isEmpty)
        #expect(look(560, through: 560, at: progress(7)).count == 1)
    }

    @Test("that nobody looks any more is noticed, not before the first look")
    func asleep() {
        #expect(watchdog.isAwake(now: time(1000)))
        _ = watchdog.look(at: [], isWaiting: false, now: time(1000))
        #expect(watchdog.isAwake(now: time(1050)) && !watchdog.isAwake(now: time(1061)))
    }
}
