import CRdKafka
import Foundation
import Synchronization

/// A request to a thread to end, and its answer.
final class StopSignal: Sendable {
    private let requested = Atomic(false)
    private let done = DispatchSemaphore(value: 0)

    func request() { requested.store(true, ordering: .releasing) }

    var isRequested: Bool { requested.load(ordering: .acquiring) }

    func finish() { done.signal() }

    @discardableResult
    func waitUntilDone(timeout: Duration) -> Bool {
        done.wait(timeout: .now() + .milliseconds(Int(timeout.milliseconds))) == .success
    }
}

/// What a producer's own thread does: it takes delivery reports, errors and statistics from the client's queue.
struct ProducerEventLoop: Sendable {
    let handle: ClientHandle
    let stop: StopSignal
    let onError: @Sendable (KafkaError) -> Void
    let onBatchEnd: @Sendable () -> Void
    let onDelivery: @Sendable (DeliveryReport) -> Void

    func run() {
        guard let queue = rd_kafka_queue_get_main(handle.pointer) else { return stop.finish() }
        // After the request one more round without waiting takes what has come meanwhile.
        var isLast = false
        while !isLast {
            isLast = stop.isRequested
            while let event = rd_kafka_queue_poll(queue, isLast ? 0 : 100) {
                take(event)
                rd_kafka_event_destroy(event)
            }
        }
        rd_kafka_queue_destroy(queue)
        stop.finish()
    }

    private func take(_ event: OpaquePointer) {
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_DR:
            while let message = rd_kafka_event_message_next(event) {
                let report = DeliveryReport(message)
                if let error = report.error { handle.context.notice(error) }
                onDelivery(report)
            }
            onBatchEnd()
        case RD_KAFKA_EVENT_ERROR:
            let code = rd_kafka_event_error(event)
            let isFatal = rd_kafka_event_error_is_fatal(event) != 0
            let error =
                (isFatal ? handle.fatalError : nil)
                ?? KafkaError(code, rd_kafka_event_error_string(event).map { String(cString: $0) })
            handle.context.notice(error)
            onError(error)
        case RD_KAFKA_EVENT_STATS:
            if let text = rd_kafka_event_stats(event) { handle.context.statistics?(String(cString: text)) }
        default:
            break
        }
    }
}

extension DeliveryReport {
    fileprivate init(_ message: UnsafePointer<rd_kafka_message_t>) {
        let native = message.pointee
        let isDelivered = native.err == RD_KAFKA_RESP_ERR_NO_ERROR
        self.init(
            token: UInt64(UInt(bitPattern: native._private)), partition: native.partition,
            offset: isDelivered ? native.offset : -1,
            error: isDelivered ? nil : KafkaError(native.err, partition: native.topicPartition))
    }
}
