import Foundation
import Messaging
import Synchronization

/// Sends a run's requests at a steady rate, no further than it is allowed to, and until each is acknowledged.
///
/// Requests go to the partitions in turn, with keys of their partition, so that every partition is always busy. One that
/// Kafka did not take (the producer failed, a new partition is not known yet) is sent again.
final class RequestLoad: Sendable {
    private struct State: Sendable {
        var allowance = 0
        var next = 0
        /// Not taken, to be sent again.
        var again: [Int] = []
        var mustRenewProducer = false
        var isStopped = false
    }

    let count: Int
    private let rate: Double
    private let topic: String
    private let configuration: KafkaConfiguration
    private let ledger: Ledger
    private let state = Mutex(State())

    /// - Parameters:
    ///   - count: of requests, numbers 0 to `count` − 1.
    ///   - rate: requests a second at most.
    init(_ configuration: KafkaConfiguration, topic: String, count: Int, rate: Double, ledger: Ledger) {
        self.configuration = configuration
        self.topic = topic
        self.count = count
        self.rate = rate
        self.ledger = ledger
    }

    /// Begins, on a thread of its own.
    func start() throws {
        let producer = try makeProducer()
        let thread = Thread { [self] in run(producer) }
        thread.name = "load"
        thread.start()
    }

    /// Lets requests up to this number be sent.
    func allow(upTo number: Int) { state.withLock { $0.allowance = min(number, count) } }

    /// Sends nothing that has not been sent yet.
    func allowNoMore() { state.withLock { $0.allowance = $0.next } }

    func stop() { state.withLock { $0.isStopped = true } }

    /// Requests that may be sent and that no acknowledgement has come for.
    var unacknowledged: Int { state.withLock { $0.allowance } - ledger.acceptedCount }

    private func makeProducer() throws -> KafkaProducer {
        try KafkaProducer(
            configuration, properties: ["message.timeout.ms": "0"],
            onError: { [self] error in
                if error.isFatal { state.withLock { $0.mustRenewProducer = true } }
            },
            onDelivery: { [self] report in delivered(report) })
    }

    private func delivered(_ report: DeliveryReport) {
        let number = Int(report.token)
        if report.error == nil {
            ledger.accept(number, at: Position(partition: report.partition, offset: report.offset))
        } else {
            // It may be in the topic all the same.
            ledger.noteResent(number)
            state.withLock { $0.again.append(number) }
        }
    }

    private func run(_ first: KafkaProducer) {
        var producer = first
        let interval = Duration.seconds(1) / rate
        var due = ContinuousClock.now
        while !state.withLock({ $0.isStopped }) {
            if state.withLock({ take(&$0.mustRenewProducer) }) {
                producer.close(deadline: .zero)
                if let renewed = try? makeProducer() { producer = renewed }
            }
            let now = ContinuousClock.now
            guard now >= due, let number = state.withLock({ nextNumber(&$0) }) else {
                Thread.sleep(forTimeInterval: 0.005)
                continue
            }
            // What could not be sent in time is made up for, but not after a long halt.
            due = max(due + interval, now - .seconds(1))
            send(number, by: producer)
        }
        producer.close(deadline: .seconds(1))
    }

    private func nextNumber(_ state: inout State) -> Int? {
        if !state.again.isEmpty { return state.again.removeFirst() }
        guard state.next < state.allowance else { return nil }
        state.next += 1
        return state.next - 1
    }

    private func send(_ number: Int, by producer: KafkaProducer) {
        let partition = Int32(number % ledger.partitionCount)
        let key = "p\(partition)-\(number / ledger.partitionCount % 4)"
        let image = PictureStore.names[number % PictureStore.count]
        let value = #"{"id":"\#(ledger.id(of: number))","image":"\#(image)","max_words":8}"#
        do {
            try producer.produce(
                topic: topic, partition: partition, key: Array(key.utf8), value: Array(value.utf8),
                token: UInt64(number))
        } catch {
            state.withLock { $0.again.append(number) }
        }
    }
}

private func take(_ flag: inout Bool) -> Bool {
    defer { flag = false }
    return flag
}
