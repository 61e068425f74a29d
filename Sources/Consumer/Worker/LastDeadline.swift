import CommandLineOptions
import Glibc
import Telemetry

/// Ends the process when it has not ended by itself long after it was asked to: librdkafka's calls have no deadline of their
/// own, and one that never returns must not keep a worker from being replaced. Nothing is lost by it: what is not committed is
/// done by the next worker.
enum LastDeadline {
    static func set(after time: Duration, logger: Logger) {
        let end = MonotonicTime.now + time
        // If there is no thread to be had, the supervisor's own deadline is what is left.
        _ = try? WorkerThread(name: "last-deadline", stackBytes: 1 << 18) {
            while MonotonicTime.now < end {
                var left = (end - MonotonicTime.now).asTimespec
                nanosleep(&left, nil)
            }
            logger.critical(
                "the worker did not end in time, and is ended; the group finds out by session.timeout.ms",
                metadata: ["seconds": .number(time.seconds)])
            _exit(ExitCode.failed.rawValue)
        }
    }
}

extension Duration {
    fileprivate var asTimespec: timespec {
        timespec(tv_sec: Int(max(0, nanoseconds) / 1_000_000_000), tv_nsec: Int(max(0, nanoseconds) % 1_000_000_000))
    }
}
