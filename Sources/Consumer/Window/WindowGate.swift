/// How many requests may be in the worker, and when a partition is to be paused and resumed.
///
/// The window is bounded as a whole by count and by bytes. A partition may take at most a share of it, so that one whose
/// oldest request is being retried leaves room for the others. Pausing and resuming have hysteresis (full, half empty),
/// because librdkafka throws a paused partition's prefetched records away; they go by what is recorded here, never by
/// what the client says. A value type without locks: the `Ledger` owns it.
struct WindowGate<Partition: Hashable & Sendable>: Sendable {
    struct Limits: Sendable {
        var requests: Int
        var bytes: Int
    }

    private struct Occupancy {
        var requests = 0
        var bytes = 0
        var isPaused = false
    }

    private let limits: Limits
    private var partitions: [Partition: Occupancy] = [:]
    private(set) var requests = 0
    private(set) var bytes = 0

    init(limits: Limits) { self.limits = limits }

    /// A newly assigned partition: whatever was recorded of an earlier assignment is gone.
    mutating func add(_ partition: Partition) {
        remove(partition)
        partitions[partition] = Occupancy()
    }

    /// A partition taken away, with the places it held.
    mutating func remove(_ partition: Partition) {
        guard let occupancy = partitions.removeValue(forKey: partition) else { return }
        requests -= occupancy.requests
        bytes -= occupancy.bytes
    }

    /// A request takes its place. Always possible: what has been polled cannot be put back.
    mutating func enter(_ partition: Partition, bytes: Int) {
        guard partitions[partition] != nil else { return }
        partitions[partition]?.requests += 1
        partitions[partition]?.bytes += bytes
        requests += 1
        self.bytes += bytes
    }

    mutating func leave(_ partition: Partition, bytes: Int) {
        guard partitions[partition] != nil else { return }
        partitions[partition]?.requests -= 1
        partitions[partition]?.bytes -= bytes
        requests -= 1
        self.bytes -= bytes
    }

    /// The most requests that one partition may have in the window: all of it when it is alone, else its fair part, but
    /// not less than a quarter, so that few busy partitions among many keep the pool at work.
    var share: Int {
        max(1, limits.requests / max(1, min(partitions.count, 4)))
    }

    /// Whether a further request of this partition should wait.
    func isFull(_ partition: Partition) -> Bool {
        guard let occupancy = partitions[partition] else { return false }
        return isFull || occupancy.requests >= share
    }

    /// Whether the window as a whole is full.
    var isFull: Bool { requests >= limits.requests || bytes >= limits.bytes }

    /// Partitions to pause now: this one when it has its share, all when the window is full. They are recorded as paused.
    mutating func pause(becauseOf partition: Partition) -> [Partition] {
        let full = isFull ? Array(partitions.keys) : isFull(partition) ? [partition] : []
        let toPause = full.filter { partitions[$0]?.isPaused == false }
        for partition in toPause { partitions[partition]?.isPaused = true }
        return toPause
    }

    /// Partitions to resume now: the window and the partition's share are both at most half taken. They are recorded as
    /// resumed.
    mutating func resume() -> [Partition] {
        guard requests <= limits.requests / 2, bytes <= limits.bytes / 2 else { return [] }
        let half = share / 2
        let toResume = partitions.filter { $0.value.isPaused && $0.value.requests <= half }.map(\.key)
        for partition in toResume { partitions[partition]?.isPaused = false }
        return toResume
    }

    var hasPaused: Bool { partitions.values.contains { $0.isPaused } }
}
