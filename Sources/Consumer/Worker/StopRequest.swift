import CommandLineOptions
import Glibc

/// That the worker is to end, and why. Any thread may ask; the first reason counts.
final class StopRequest: Sendable {
    enum Reason: Sendable {
        case signal(Int32)
        case failure(WorkerFailure)
    }

    private let state = Monitor<Reason?>(nil)

    func request(_ reason: Reason) {
        state.update { $0 = $0 ?? reason }
    }

    var reason: Reason? { state.withLock { $0 } }
    var isRequested: Bool { reason != nil }

    /// Waits for a request, at most so long; whether there is one.
    func wait(for duration: Duration) -> Bool {
        state.wait(until: .now + duration) { $0 != nil }
    }
}

/// SIGTERM and SIGINT, taken by a thread of their own, so that no code runs in a signal handler. The first asks the
/// worker to end in good order; the second ends the process at once.
enum StopSignals {
    private static var set: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        return set
    }

    /// Keeps the signals from all threads. To be called before any other thread is made, since each inherits it.
    static func block() {
        var set = set
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    static func watch(_ stop: StopRequest) throws {
        _ = try WorkerThread(name: "signals", stackBytes: 1 << 18) {
            var set = set
            var received: Int32 = 0
            while true {
                guard sigwait(&set, &received) == 0 else { continue }
                if case .signal = stop.reason { _exit(ExitCode.signal(received).rawValue) }
                stop.request(.signal(received))
            }
        }
    }
}
