import Synchronization

/// A place in the topic of requests.
struct Position: Sendable, Hashable {
    var partition: Int32
    var offset: Int64
}

/// What the harness itself did to the requests, and when: what the workers' answers are judged by. Any thread writes it.
final class Ledger: Sendable {
    struct Accepted: Sendable, Equatable {
        var number: Int
        var time: ContinuousClock.Instant
    }

    struct Content: Sendable {
        var partitionCount: Int
        /// Acknowledged by all in-sync replicas.
        var accepted: [Position: Accepted] = [:]
        /// Deleted before anybody read them.
        var deleted: Set<Position> = []
        /// Offsets that the workers must have counted as lost.
        var deletedOffsets = 0
        /// Requests that were sent more than once, as it was not known whether Kafka had taken them.
        var resent: Set<Int> = []
        /// Images that were garbage for a while.
        var spoiltImages: Set<String> = []
    }

    private let prefix: String
    private let content: Mutex<Content>

    /// - Parameter prefix: of the requests' ids.
    init(prefix: String, partitionCount: Int) {
        self.prefix = prefix
        content = Mutex(Content(partitionCount: partitionCount))
    }

    func id(of number: Int) -> String { "\(prefix)-\(number)" }

    /// The number of an id that this run gave; nil for any other.
    func number(of id: String) -> Int? {
        guard id.hasPrefix(prefix + "-") else { return nil }
        return Int(id.dropFirst(prefix.count + 1))
    }

    func accept(_ number: Int, at position: Position) {
        content.withLock { $0.accepted[position] = Accepted(number: number, time: .now) }
    }

    func noteResent(_ number: Int) { content.withLock { _ = $0.resent.insert(number) } }

    /// Requests of these offsets were deleted, and the group had not committed them.
    func noteDeleted(_ partition: Int32, _ offsets: Range<Int64>) {
        content.withLock { content in
            content.deleted.formUnion(offsets.map { Position(partition: partition, offset: $0) })
            content.deletedOffsets += offsets.count
        }
    }

    func noteSpoilt(image: String) { content.withLock { _ = $0.spoiltImages.insert(image) } }

    var partitionCount: Int {
        get { content.withLock { $0.partitionCount } }
        set { content.withLock { $0.partitionCount = newValue } }
    }

    var acceptedCount: Int { content.withLock { $0.accepted.count } }

    var current: Content { content.withLock { $0 } }
}
