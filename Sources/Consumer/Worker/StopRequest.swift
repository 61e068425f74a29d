import CLinux
import CommandLineOptions
import Glibc
import Telemetry

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

/// SIGTERM and SIGINT, waited for by a thread of their own, so that no work is done in a signal handler. The first asks
/// the worker to end in good order; one that comes while it is ending ends the process at once.
enum StopSignals {
    static func watch(_ stop: StopRequest, lastDeadline: Duration, logger: Logger) throws {
        let signals = kaption_open_stop_signals()
        guard signals >= 0 else { throw WorkerFailure(.failed, "cannot take signals: \(describe(-signals))") }
        _ = try WorkerThread(name: "signals", stackBytes: 1 << 18) {
            var number: UInt8 = 0
            while true {
                guard read(signals, &number, 1) == 1 else { continue }
                if stop.isRequested { _exit(ExitCode.signal(Int32(number)).rawValue) }
                // Whatever the worker is at, be it a storage that never answers at its start.
                LastDeadline.set(after: lastDeadline, logger: logger)
                stop.request(.signal(Int32(number)))
            }
        }
    }
}
