import Messaging
import Telemetry

/// What the worker has done since its start: for `/metrics`, the progress line and the summary.
final class Counters: Sendable {
    /// Requests that were given a place in the window.
    let taken: Counter
    /// Keys, values and headers of those.
    let bytesTaken: Counter
    /// Reads of images that failed and are to be tried again.
    let retries: Counter
    /// Records that came a second time in one assignment, and were ignored.
    let repeatsIgnored: Counter
    /// Requests that were deleted by the topic's retention before anyone read them.
    let lostToRetention: Counter
    let commitFailures: Counter
    /// Rebalances: partitions came, went to another member, or were gone before this worker knew.
    let assigned: Counter
    let revoked: Counter
    let lost: Counter
    let transactionsCommitted: Counter
    let transactionsAborted: Counter
    /// Producers that failed for good and were replaced.
    let producersRenewed: Counter
    let watermarkStalls: Counter

    private let captioned: Counter
    private let failures: [ErrorCode: Counter]
    private let stageSeconds:
        (queue: Histogram, fetch: Histogram, decode: Histogram, encode: Histogram, caption: Histogram)
    private let totalSeconds: Histogram

    /// - Parameter registry: where the metrics are declared; no two counters can share one.
    init(_ registry: MetricsRegistry = MetricsRegistry()) {
        taken = registry.counter("kaption_requests_taken_total", "Requests taken from the request topics")
        bytesTaken = registry.counter(
            "kaption_request_bytes_taken_total", "Bytes of keys, values and headers of the requests taken")
        retries = registry.counter("kaption_retries_total", "Images put back to be read again after a transient error")
        repeatsIgnored = registry.counter(
            "kaption_repeats_ignored_total", "Records that came a second time in one assignment")
        lostToRetention = registry.counter(
            "kaption_requests_lost_to_retention_total", "Requests deleted by retention before they were read")
        commitFailures = registry.counter("kaption_commit_failures_total", "Offset commits that failed")
        let rebalances = registry.counter(
            "kaption_rebalances_total",
            "Times that partitions were assigned to this worker, revoked from it, or lost without notice",
            labels: ["event"])
        assigned = rebalances["assigned"]
        revoked = rebalances["revoked"]
        lost = rebalances["lost"]
        let transactions = registry.counter(
            "kaption_transactions_total", "Kafka transactions, with --delivery exactly-once", labels: ["outcome"])
        transactionsCommitted = transactions["committed"]
        transactionsAborted = transactions["aborted"]
        producersRenewed = registry.counter(
            "kaption_producers_renewed_total", "Kafka producers that failed for good and were replaced")
        watermarkStalls = registry.counter(
            "kaption_watermark_stalls_total", "Times that a partition's commit watermark stood still for too long")

        let answers = registry.counter(
            "kaption_answers_total", "Answers given to the producer", labels: ["status", "code"])
        captioned = answers["ok", ""]
        failures = Dictionary(uniqueKeysWithValues: ErrorCode.allCases.map { ($0, answers["error", $0.rawValue]) })
        let stages = registry.histogram(
            "kaption_stage_seconds", "Time an image spent in a stage; total is from poll to answer, for every answer",
            labels: ["stage"])
        stageSeconds = (
            stages["queue"], stages["fetch"], stages["decode"], stages["encode"], stages["caption"]
        )
        totalSeconds = stages["total"]
    }

    /// Records that were taken together.
    struct Taken {
        var requests = 0
        var bytes = 0
        var repeats = 0
    }

    func count(_ counter: KeyPath<Counters, Counter>, by number: Int = 1) {
        self[keyPath: counter].increment(by: number)
    }

    func count(_ taken: Taken) {
        self.taken.increment(by: taken.requests)
        bytesTaken.increment(by: taken.bytes)
        repeatsIgnored.increment(by: taken.repeats)
    }

    func countAnswer(_ answer: Answer) {
        let timings = answer.timings
        if let failure = answer.failure {
            failures[failure.code]?.increment()
        } else {
            captioned.increment()
            stageSeconds.queue.record(timings.queue / 1000)
            stageSeconds.fetch.record(timings.fetch / 1000)
            stageSeconds.decode.record(timings.decode / 1000)
            stageSeconds.encode.record(timings.encode / 1000)
            stageSeconds.caption.record(timings.caption / 1000)
        }
        totalSeconds.record(timings.total / 1000)
    }

    /// What the log says of them.
    struct Counts: Sendable, Equatable {
        var taken = 0
        var captioned = 0
        var failures: [ErrorCode: Int] = [:]
        /// By the names that the log has for them; those that are 0 are left out.
        var others: [String: Int] = [:]

        var failed: Int { failures.values.reduce(0, +) }
    }

    var current: Counts {
        let others = [
            ("retries", retries), ("repeats_ignored", repeatsIgnored),
            ("requests_lost_to_retention", lostToRetention), ("commit_failures", commitFailures),
            ("transactions_committed", transactionsCommitted), ("transactions_aborted", transactionsAborted),
            ("producers_renewed", producersRenewed), ("watermark_stalls", watermarkStalls),
        ]
        return Counts(
            taken: taken.total, captioned: captioned.total,
            failures: failures.mapValues(\.total).filter { $0.value > 0 },
            others: Dictionary(uniqueKeysWithValues: others.map { ($0.0, $0.1.total) }.filter { $0.1 > 0 }))
    }
}

extension Counters.Counts {
    var metadata: Logger.Metadata {
        var metadata: Logger.Metadata = [
            "taken": .integer(taken), "captioned": .integer(captioned), "failed": .integer(failed),
        ]
        for (name, count) in others { metadata[name] = .integer(count) }
        for (code, count) in failures { metadata["failed_\(code.rawValue)"] = .integer(count) }
        return metadata
    }
}
