import CMicroHTTPD
import Dispatch
import Glibc
import Synchronization

/// A small HTTP/1.1 server over libmicrohttpd, for inside a proxy's or a firewall's shelter but safe against hostile clients:
/// memory, connections and time are bounded by `Limits`.
///
/// ```swift
/// let server = try HTTPServer(host: "127.0.0.1", port: 0, routes: [
///     Route("GET", "/healthz") { _ in .text("ok\n") }
/// ])
/// print(server.port)
/// server.stop(within: .seconds(5))
/// ```
///
/// It serves until `stop`, or until nobody refers to it any more.
public final class HTTPServer: Sendable {
    public struct CannotStart: Error, CustomStringConvertible {
        public let description: String
    }

    /// Where it listens; the system's choice if 0 was asked for.
    public let port: Int
    private let core: ServerCore
    private let daemon: Mutex<Daemon?>

    /// Listens from the return on.
    /// - Parameters:
    ///   - host: an IPv4 address or a name that has one; `0.0.0.0` for all.
    ///   - port: 0 to 65535; 0 lets the system choose.
    ///   - threads: how many requests are handled at a time; see `Route` for when one is not enough.
    ///   - report: gets a line about each error that a handler throws and is no `HTTPError`, on the server's thread.
    public init(
        host: String, port: Int, threads: Int = 1, limits: Limits = Limits(),
        report: @escaping @Sendable (String) -> Void = { _ in }, routes: [Route]
    ) throws(CannotStart) {
        core = ServerCore(routes: routes, limits: limits, report: report)
        let daemon = try Daemon(host: host, port: port, threads: max(threads, 1), core: core)
        self.port = daemon.port
        self.daemon = Mutex(daemon)
    }

    deinit { stop(within: .zero) }

    /// Refuses new connections, finishes the streams, lets the requests under way be answered for at most so long, and closes.
    /// Blocks, and for as long as a handler does; the second call does nothing.
    public func stop(within patience: Duration) {
        let daemon = daemon.withLock { daemon in
            defer { daemon = nil }
            return daemon
        }
        daemon?.stop(within: patience)
    }
}

/// The running libmicrohttpd with its socket and the timer that holds clients to time.
///
/// `@unchecked Sendable`: nothing changes after `init`, the timer may be cancelled from anywhere, and `stop` is called once, by
/// whoever took the daemon out of the server.
private final class Daemon: @unchecked Sendable {
    let port: Int
    private let core: ServerCore
    private let descriptor: Int32
    private let daemon: MHDDaemon
    private let acceptor: Acceptor
    private let timer: any DispatchSourceTimer

    init(host: String, port: Int, threads: Int, core: ServerCore) throws(HTTPServer.CannotStart) {
        guard let wanted = UInt16(exactly: port) else {
            throw HTTPServer.CannotStart(description: "port \(port) is not within 0 to 65535")
        }
        let limits = core.limits
        var boundPort: UInt16 = 0
        var reason: UnsafePointer<CChar>?
        descriptor = kaption_http_listen(
            host, wanted, UInt32(clamping: limits.timeout.milliseconds), &boundPort, &reason)
        guard descriptor >= 0 else {
            let reason = reason.map { String(cString: $0) } ?? "unknown error"
            throw HTTPServer.CannotStart(description: "cannot listen on \(host):\(port): \(reason)")
        }
        self.port = Int(boundPort)
        self.core = core
        var callbacks = Callbacks.table(core)
        // Twice as many as there will be: libmicrohttpd counts a connection a moment longer than the acceptor does.
        let started = kaption_http_start(
            UInt32(threads), UInt32(2 * max(limits.connections, 1)), limits.connectionMemory, &callbacks)
        guard let started else {
            let reason = String(cString: strerror(errno))
            close(descriptor)
            throw HTTPServer.CannotStart(description: "cannot start the HTTP server on \(host):\(port): \(reason)")
        }
        daemon = MHDDaemon(pointer: started)
        acceptor = Acceptor(descriptor: descriptor, places: core.freePlaces)
        let tick = max(10, min(500, Int(min(limits.timeout, limits.streamHeartbeat).milliseconds) / 4))
        timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "http-limits"))
        timer.schedule(deadline: .now() + .milliseconds(tick), repeating: .milliseconds(tick))
        timer.setEventHandler { core.enforceLimits() }
        timer.resume()
        acceptor.start(daemon)
    }

    func stop(within patience: Duration) {
        core.beginDraining()
        acceptor.stop()
        core.drain(within: patience)
        timer.cancel()
        MHD_stop_daemon(daemon.pointer)
        close(descriptor)
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
