import Foundation
import Messaging
import Synchronization

/// Reads the results topic from the end it had before the first request was sent, and takes the answers to this run's
/// requests, each once, until all are there.
final class ResultFollower: Sendable {
    /// What it needs of the rest of the program.
    struct Context: Sendable {
        var topic: String
        var partitionCount: Int
        var run: RunIdentity
        /// Requests without an answer so far.
        var awaited: SequenceSet
        /// Gives up when this run got no answer for so long after all was enqueued.
        var patience: Duration
        var timeout: Duration
        var interruption: Interruption
        /// On the follower's thread.
        var onAnswer: @Sendable (Answer, [UInt8]) -> Void
        var onTrouble: @Sendable (KafkaError) -> Void
    }

    private let context: Context
    private let allEnqueued = Atomic(false)
    private let ready = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)
    private let startError = Mutex<(any Error)?>(nil)

    /// Starts following. Returns when the topic's end is known.
    ///
    /// - Throws: `KafkaError`.
    init(_ configuration: KafkaConfiguration, _ context: Context) throws {
        self.context = context
        let thread = Thread { [self] in run(configuration) }
        thread.name = "results"
        thread.start()
        ready.wait()
        if let error = startError.withLock({ $0 }) { throw error }
    }

    /// Tells that no more requests will come, and waits until all are answered, patience is over or the program is interrupted.
    func finish() {
        allEnqueued.store(true, ordering: .releasing)
        ended.wait()
    }

    private func run(_ configuration: KafkaConfiguration) {
        defer { ended.signal() }
        let consumer: KafkaConsumer
        do {
            consumer = try start(configuration)
        } catch {
            startError.withLock { $0 = error }
            ready.signal()
            return
        }
        ready.signal()
        follow(consumer)
        consumer.close(deadline: .seconds(1))
    }

    private func start(_ configuration: KafkaConfiguration) throws -> KafkaConsumer {
        // No group is joined: librdkafka only wants a name. Results lost to retention cannot be waited for: go on with the first.
        let consumer = try KafkaConsumer(
            configuration, groupID: "kaption-enqueue-\(context.run.name)", properties: ["auto.offset.reset": "earliest"]
        )
        var ends: [TopicPartitionOffset] = []
        for number in 0..<Int32(context.partitionCount) {
            let partition = TopicPartition(topic: context.topic, partition: number)
            let end = try consumer.watermarks(of: partition, timeout: context.timeout).upperBound
            ends.append(TopicPartitionOffset(partition, offset: end))
        }
        try consumer.assign(ends)
        return consumer
    }

    private func follow(_ consumer: KafkaConsumer) {
        var lastProgress = ContinuousClock.now
        while !context.interruption.isRaised {
            if allEnqueued.load(ordering: .acquiring) {
                if context.awaited.count == 0 { return }
                if ContinuousClock.now - lastProgress > context.patience { return }
            } else {
                lastProgress = .now
            }
            switch consumer.poll(timeoutMilliseconds: 100) {
            case .message(let message): if take(message) { lastProgress = .now }
            case .error(let error): context.onTrouble(error)
            case .partitionEnd, nil: break
            }
        }
    }

    /// Whether the message is an answer that was awaited.
    private func take(_ message: KafkaMessage) -> Bool {
        // Other runs' results share the topic: most are told apart without reading their JSON.
        guard let value = message.value, Data(value).range(of: Data(context.run.name.utf8)) != nil,
            let answer = Answer(json: value), let number = context.run.number(inID: answer.id),
            context.awaited.remove(number)
        else { return false }
        context.onAnswer(answer, value)
        return true
    }
}
