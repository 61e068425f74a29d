import Synchronization

/// What has become of the images so far.
struct Counts: Sendable, Equatable {
    /// Given to the Kafka client.
    var enqueued = 0
    /// Acknowledged by Kafka.
    var delivered = 0
    /// Given to the client, but not acknowledged.
    var failed = 0
    /// Named by the user, but nothing that can be enqueued.
    var rejected = 0
    /// Left out because the resume file has them.
    var skipped = 0
    /// Answers to this run's requests, each counted once.
    var ok = 0
    var errors = 0

    var inFlight: Int { enqueued - delivered - failed }
    var answered: Int { ok + errors }
}

/// The counts, shared by the threads.
final class Tally: Sendable {
    private let counts = Mutex(Counts())

    var current: Counts { counts.withLock { $0 } }

    func add(_ field: WritableKeyPath<Counts, Int> & Sendable) { counts.withLock { $0[keyPath: field] += 1 } }
}
