/// How many requests may be in the worker, and of which partition the next may be taken.
///
/// The window is bounded as a whole by count and by bytes. Topics of different weight each have room kept for them
/// (`SharedRoom`). A partition may take at most a share of the whole, so that one whose oldest request is being retried
/// leaves room for the others. A value type without locks: the `Ledger` owns it.
struct WindowGate<Partition: Hashable & Sendable>: Sendable {
    struct Limits: Sendable {
        var requests: Int
        var bytes: Int
    }

    private struct Occupancy {
        let topic: Int
        var requests = 0
        var bytes = 0
    }

    private let limits: Limits
    private let topicCount: Int
    private var partitions: [Partition: Occupancy] = [:]
    private var requestRoom: SharedRoom
    private var byteRoom: SharedRoom

    init(limits: Limits, topics: TopicWeights = .single) {
        self.limits = limits
        topicCount = topics.count
        requestRoom = SharedRoom(limit: limits.requests, topics: topics)
        byteRoom = SharedRoom(limit: limits.bytes, topics: topics)
    }

    /// Of all partitions.
    var requests: Int { requestRoom.total }
    var bytes: Int { byteRoom.total }

    /// A newly assigned partition: whatever was recorded of an earlier assignment is gone.
    mutating func add(_ partition: Partition, topic: Int = 0) {
        remove(partition)
        partitions[partition] = Occupancy(topic: topic)
        keepRoom()
    }

    /// A partition taken away, with the places it held.
    mutating func remove(_ partition: Partition) {
        guard let occupancy = partitions.removeValue(forKey: partition) else { return }
        requestRoom.give(occupancy.requests, of: occupancy.topic)
        byteRoom.give(occupancy.bytes, of: occupancy.topic)
        keepRoom()
    }

    /// Requests take their places. Always possible: what has been taken from Kafka cannot be put back.
    mutating func enter(_ partition: Partition, requests: Int = 1, bytes: Int) {
        change(partition, requests: requests, bytes: bytes)
    }

    mutating func leave(_ partition: Partition, requests: Int = 1, bytes: Int) {
        change(partition, requests: -requests, bytes: -bytes)
    }

    /// The most requests that one partition may have in the window: all of it when it is alone, else its fair part, but
    /// not less than a quarter, so that few busy partitions among many keep the pool at work.
    var share: Int {
        max(1, limits.requests / max(1, min(partitions.count, 4)))
    }

    /// How many more requests of this partition may be taken now, and how many bytes; nothing of either means none.
    func room(for partition: Partition) -> Limits {
        guard let occupancy = partitions[partition] else { return Limits(requests: 0, bytes: 0) }
        let requests = min(share - occupancy.requests, requestRoom.free(for: occupancy.topic))
        let bytes = byteRoom.free(for: occupancy.topic)
        return requests > 0 && bytes > 0 ? Limits(requests: requests, bytes: bytes) : Limits(requests: 0, bytes: 0)
    }

    private mutating func change(_ partition: Partition, requests: Int, bytes: Int) {
        guard let topic = partitions[partition]?.topic else { return }
        partitions[partition]?.requests += requests
        partitions[partition]?.bytes += bytes
        requestRoom.take(requests, for: topic)
        byteRoom.take(bytes, for: topic)
    }

    /// Room is kept for topics that this worker has partitions of.
    private mutating func keepRoom() {
        var active = Array(repeating: false, count: topicCount)
        for occupancy in partitions.values { active[occupancy.topic] = true }
        requestRoom.keep(for: active)
        byteRoom.keep(for: active)
    }
}
