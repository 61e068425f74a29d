import CRdKafka

/// What a thread waits on that has several sources of work: queues of a consumer's, and other threads.
public final class ArrivalSignal: Sendable {
    private let event: Int32

    /// - Throws: `KafkaError` when the process has no file descriptor left.
    public init() throws {
        event = kaption_rdkafka_make_event()
        if event < 0 { throw KafkaError.configuration("no file descriptor is left") }
    }

    /// Whoever sets it, librdkafka's queues included, holds this object.
    deinit { kaption_rdkafka_close_event(event) }

    /// Waits until there is a new arrival since the last wait, at most so long.
    public func wait(milliseconds: Int) { kaption_rdkafka_wait_event(event, Int32(clamping: milliseconds)) }

    /// Ends the wait. Any thread.
    public func notify() { kaption_rdkafka_set_event(event) }

    fileprivate func watch(_ queue: OpaquePointer) { kaption_rdkafka_signal_arrivals(queue, event) }

    fileprivate static func unwatch(_ queue: OpaquePointer) { kaption_rdkafka_signal_arrivals(queue, -1) }
}

/// A reference to one of librdkafka's queues, whose arrivals are signalled as long as this lives. It belongs to the thread
/// that polls the consumer.
final class WatchedQueue {
    let pointer: OpaquePointer
    private let signal: ArrivalSignal
    /// The queue is the client's.
    private let handle: ClientHandle

    /// - Parameter pointer: a reference that is taken over.
    init(_ pointer: OpaquePointer, of handle: ClientHandle, signal: ArrivalSignal) {
        self.pointer = pointer
        self.handle = handle
        self.signal = signal
        signal.watch(pointer)
    }

    deinit {
        ArrivalSignal.unwatch(pointer)
        rd_kafka_queue_destroy(pointer)
    }
}
