import CMicroHTTPD
import Dispatch
import Foundation
import Synchronization

/// A thread that takes connections from the listening socket and hands them to libmicrohttpd, at most so many at a time; further
/// ones wait in the kernel's queue.
///
/// Not left to libmicrohttpd: told to stop accepting, 0.9.75 takes the listening socket out of a thread's epoll set while that
/// thread may be doing the same, and then ends the process ("Failed to remove listen FD from epoll set").
final class Acceptor: Sendable {
    private let descriptor: Int32
    private let places: DispatchSemaphore
    private let isStopping = Atomic(false)
    private let ended = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - descriptor: listens; stays the caller's.
    ///   - places: has one for each connection that may be opened; who sees a connection end gives its place back.
    init(descriptor: Int32, places: DispatchSemaphore) {
        self.descriptor = descriptor
        self.places = places
    }

    /// Accepts for this daemon until `stop`, which must come before the daemon's end.
    func start(_ daemon: MHDDaemon) {
        let thread = Thread { [self] in
            run(daemon)
            ended.signal()
        }
        thread.name = "http-accept"
        thread.start()
    }

    /// Accepts nothing more: clients that come now are refused. Returns when the thread has ended.
    func stop() {
        isStopping.store(true, ordering: .sequentiallyConsistent)
        shutdown(descriptor, Int32(SHUT_RDWR))
        places.signal()
        ended.wait()
    }

    private func run(_ daemon: MHDDaemon) {
        while true {
            places.wait()
            if isStopping.load(ordering: .sequentiallyConsistent) { return }
            let code = kaption_http_accept(daemon.pointer, descriptor)
            if code == 0 { continue }
            places.signal()
            // Descriptors or memory are used up: nothing tells when that is over.
            if code != ECONNABORTED, code != EINTR { usleep(20_000) }
        }
    }
}

/// libmicrohttpd's daemon.
///
/// `@unchecked Sendable`: the pointer never changes; adding connections is allowed from any thread, and stopping is done once,
/// when nothing is added any more.
struct MHDDaemon: @unchecked Sendable {
    let pointer: OpaquePointer
}
