import Messaging
import Synchronization
import Telemetry

/// What the worker has done since its start, for the progress line and the summary.
final class Counters: Sendable {
    struct Counts: Sendable, Equatable {
        var taken = 0
        /// Keys, values and headers of those.
        var bytesTaken = 0
        var captioned = 0
        var failed = 0
        var failures: [ErrorCode: Int] = [:]
        var retries = 0
        /// Records that came a second time in one assignment, and were ignored.
        var repeatsIgnored = 0
        /// Requests that were deleted by the topic's retention before anyone read them.
        var lostToRetention = 0
        var transactionsCommitted = 0
        var transactionsAborted = 0
        /// Producers that failed for good and were replaced.
        var producersRenewed = 0
    }

    /// Records that were taken together.
    struct Taken {
        var requests = 0
        var bytes = 0
        var repeats = 0
    }

    private let counts = Mutex(Counts())

    func count(_ counter: WritableKeyPath<Counts, Int> & Sendable, by number: Int = 1) {
        counts.withLock { $0[keyPath: counter] += number }
    }

    func count(_ taken: Taken) {
        counts.withLock { counts in
            counts.taken += taken.requests
            counts.bytesTaken += taken.bytes
            counts.repeatsIgnored += taken.repeats
        }
    }

    func countAnswer(_ answer: Answer) {
        counts.withLock { counts in
            if let failure = answer.result.failure {
                counts.failed += 1
                counts.failures[failure.code, default: 0] += 1
            } else {
                counts.captioned += 1
            }
        }
    }

    var current: Counts { counts.withLock { $0 } }
}

extension Counters.Counts {
    var metadata: Logger.Metadata {
        var metadata: Logger.Metadata = [
            "taken": .integer(taken), "captioned": .integer(captioned), "failed": .integer(failed),
        ]
        if retries > 0 { metadata["retries"] = .integer(retries) }
        if repeatsIgnored > 0 { metadata["repeats_ignored"] = .integer(repeatsIgnored) }
        if lostToRetention > 0 { metadata["requests_lost_to_retention"] = .integer(lostToRetention) }
        if transactionsCommitted > 0 { metadata["transactions_committed"] = .integer(transactionsCommitted) }
        if transactionsAborted > 0 { metadata["transactions_aborted"] = .integer(transactionsAborted) }
        if producersRenewed > 0 { metadata["producers_renewed"] = .integer(producersRenewed) }
        for (code, count) in failures { metadata["failed_\(code.rawValue)"] = .integer(count) }
        return metadata
    }
}
