import CMicroHTTPD
import Synchronization

/// An answer that is written bit by bit, from any thread, for as long as the client stays.
///
/// Sending never waits: what the client has not taken yet is kept, up to `Limits.streamQueueBytes`. A client that falls
/// further behind is cut off, and comes back with `Last-Event-ID` if it is a browser.
public final class ResponseStream: Sendable {
    private enum Ending { case open, finished, cut }

    private struct State {
        var bytes: [UInt8] = []
        /// How many of `bytes` the client's connection has taken.
        var start = 0
        var ending = Ending.open
        /// Whether libmicrohttpd waits to be resumed. Only then is its connection sure to exist.
        var isSuspended = false
        var lastRead: ContinuousClock.Instant = .now

        var waiting: Int { bytes.count - start }
    }

    private let connection: MHDConnection
    private let limit: Int
    private let cutConnection: @Sendable () -> Void
    private let state = Mutex(State())

    /// - Parameter cutConnection: ends the connection though its client takes nothing; may be called at any time.
    init(connection: MHDConnection, limit: Int, cutConnection: @escaping @Sendable () -> Void) {
        self.connection = connection
        self.limit = limit
        self.cutConnection = cutConnection
    }

    /// False once the client has gone, was cut off, or the stream is finished. A client's silent leaving shows only when something
    /// is sent, by the next heartbeat at the latest.
    public var isOpen: Bool { state.withLock { $0.ending == .open } }

    /// Whether the event was taken; if not, the stream is over.
    @discardableResult
    public func send(_ event: ServerSentEvent) -> Bool { send(event.bytes) }

    /// Ends the answer after what is already sent.
    public func finish() {
        state.withLock { state in
            guard state.ending == .open else { return }
            state.ending = .finished
            resume(&state)
        }
    }

    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        let isTaken = state.withLock { state in
            guard state.ending == .open else { return true }
            guard state.waiting + bytes.count <= limit else { return false }
            if state.bytes.count + bytes.count > limit {
                state.bytes.removeSubrange(..<state.start)
                state.start = 0
            }
            state.bytes += bytes
            resume(&state)
            return true
        }
        if !isTaken { cut() }
        return isOpen
    }

    /// Forgets what is queued and ends the connection.
    func cut() {
        markOver()
        cutConnection()
    }

    /// The request is over, for whatever reason: nobody reads any more.
    func markOver() {
        state.withLock { state in
            state.ending = .cut
            state.bytes = []
            state.start = 0
            resume(&state)
        }
    }

    /// Called every now and then: sends a comment after a silence, and cuts off a client that has taken nothing for `patience`
    /// though something is there for it.
    func keepAlive(heartbeat: Duration, patience: Duration, now: ContinuousClock.Instant) {
        let (isSilent, isStuck) = state.withLock { state in
            let age = now - state.lastRead
            return (
                state.isSuspended && state.ending == .open && age >= heartbeat, !state.isSuspended && age >= patience
            )
        }
        if isStuck { cut() } else if isSilent { send(Array(":\n\n".utf8)) }
    }

    /// libmicrohttpd asks for more, on its thread: the number of bytes written, 0 when the connection was suspended because there
    /// are none, or one of the two ends.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        state.withLock { state in
            state.lastRead = .now
            if state.ending == .cut { return kaption_http_end_with_error }
            let count = min(state.waiting, buffer.count)
            if count > 0 {
                state.bytes.withUnsafeBytes {
                    buffer.copyMemory(from: .init(rebasing: $0[state.start..<state.start + count]))
                }
                state.start += count
                if state.waiting == 0 {
                    state.bytes.removeAll(keepingCapacity: true)
                    state.start = 0
                }
                return count
            }
            if state.ending == .finished { return kaption_http_end_of_stream }
            // Suspended under the lock: whoever sends next is sure to see it.
            state.isSuspended = true
            MHD_suspend_connection(connection.pointer)
            return 0
        }
    }

    private func resume(_ state: inout State) {
        guard state.isSuspended else { return }
        state.isSuspended = false
        state.lastRead = .now
        MHD_resume_connection(connection.pointer)
    }
}

/// libmicrohttpd's connection.
///
/// `@unchecked Sendable`: the only call made on it from other threads is MHD_resume_connection, which the library allows from
/// anywhere on a connection that is suspended; a suspended connection is not freed.
struct MHDConnection: @unchecked Sendable {
    let pointer: OpaquePointer
}
