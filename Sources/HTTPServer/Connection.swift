import CMicroHTTPD
import Glibc
import Synchronization

/// One client's socket, and how far it is. It holds the clients to time: the library knows silence only, and one byte now
/// and then is not silence.
final class Connection: Sendable {
    enum Phase {
        /// No whole request head yet; also between two requests.
        case head
        case body
        /// The handler is at work: no limit.
        case handling
        case answer
        case stream(ResponseStream)
    }

    private struct State {
        /// Nil once the library is about to close it: the number may then belong to another file.
        var descriptor: Int32?
        var phase = Phase.head
        var since: ContinuousClock.Instant = .now
        /// Bytes received (body) or to be sent (answer) in this phase.
        var bytes = 0
    }

    private let state: Mutex<State>

    init(descriptor: Int32) { state = Mutex(State(descriptor: descriptor)) }

    func enter(_ phase: sending Phase, bytes: Int = 0) {
        state.withLock { state in
            state.phase = phase
            state.since = .now
            state.bytes = bytes
        }
    }

    func count(_ bytes: Int) { state.withLock { $0.bytes += bytes } }

    /// Must be called before the descriptor is closed.
    func willClose() {
        state.withLock { state in
            state.descriptor = nil
            state.phase = .head
        }
    }

    /// Ends the connection whatever it is doing: the library notices, and closes it.
    func abort() { shutDown(SHUT_RDWR) }

    /// Takes no further request: a request that has arrived is still answered.
    func stopReading() { shutDown(SHUT_RD) }

    private func shutDown(_ how: Int) {
        state.withLock { state in
            if let descriptor = state.descriptor { _ = shutdown(descriptor, Int32(how)) }
        }
    }

    var isBetweenRequests: Bool {
        state.withLock { if case .head = $0.phase { true } else { false } }
    }

    var stream: ResponseStream? {
        state.withLock { if case .stream(let stream) = $0.phase { stream } else { nil } }
    }

    /// Called every now and then: ends the connection if it has had its time.
    /// - Parameter isFull: whether no further connection may be opened.
    func enforce(_ limits: Limits, isFull: Bool, now: ContinuousClock.Instant) {
        let stream = state.withLock { state -> ResponseStream? in
            guard let descriptor = state.descriptor else { return nil }
            let isReceiving: Bool
            var timeout = limits.timeout
            switch state.phase {
            case .handling: return nil
            case .stream(let stream): return stream
            case .answer: isReceiving = false
            case .body: isReceiving = true
            case .head:
                isReceiving = true
                if isFull { timeout = min(timeout, limits.timeoutWhileFull) }
            }
            let transfer = Duration.seconds(Double(state.bytes) / Double(max(limits.minimumBytesPerSecond, 1)))
            if now - state.since >= timeout + transfer {
                shutdown(descriptor, Int32(SHUT_RDWR))
            } else if isReceiving, Self.isAtEnd(descriptor) {
                // libmicrohttpd 0.9.75 misses an end that arrives together with data, since epoll tells it once only. This
                // tells it again, and leaves the way back open for an answer that may be on it.
                shutdown(descriptor, Int32(SHUT_RD))
            }
            return nil
        }
        stream?.keepAlive(heartbeat: limits.streamHeartbeat, patience: limits.timeout, now: now)
    }

    /// Whether all that the client will ever send has been read.
    private static func isAtEnd(_ descriptor: Int32) -> Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) == 0
    }
}
