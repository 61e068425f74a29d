import Messaging
import Synchronization

/// Watches that the commit watermark of each partition with work moves. One that stands still for too long is logged, counted,
/// and shown by `/healthz` and the metrics; nothing is lost or restarted for it.
///
/// While the worker knows what it waits for (Kafka or the storage is away, the breaker is open, the group waits for its members),
/// no partition is blamed: the time begins anew afterwards.
final class Watchdog: Sendable {
    /// A partition whose watermark stands still.
    struct Stall: Sendable, Equatable {
        let partition: TopicPartition
        /// The offset known to be committed in this assignment; nil if there is none yet.
        let committed: Int64?
        /// Since when it stands, or has had work at all.
        let since: MonotonicTime
    }

    /// One look at a partition.
    private struct Watched {
        let partition: TopicPartition
        var committed: Int64?
        var since: MonotonicTime
        var isStalled = false

        var stall: Stall { Stall(partition: partition, committed: committed, since: since) }
    }

    private struct State {
        /// Partitions with work, by their assignment's epoch.
        var watched: [UInt32: Watched] = [:]
        var lastLook: MonotonicTime?
    }

    /// What a look changed.
    struct Changes: Equatable {
        var stalled: [Stall] = []
        /// Those that move again, or have gone.
        var ended: [Stall] = []
    }

    let timeout: Duration
    private let state = Mutex(State())

    init(timeout: Duration) { self.timeout = timeout }

    /// How often to look.
    var interval: Duration { min(.seconds(1), max(.milliseconds(10), timeout / 8)) }

    /// Takes in how far the partitions are.
    /// - Parameter isWaiting: the worker waits for something that it knows; see `WorkerHealth.isWaiting`.
    func look(at progress: [PartitionProgress], isWaiting: Bool, now: MonotonicTime = .now) -> Changes {
        state.withLock { state in
            // A look that comes far too late means that the whole process stood still (SIGSTOP, a paused machine).
            let wasAway = state.lastLook.map { now - $0 > timeout / 2 } ?? false
            state.lastLook = now
            var changes = Changes()
            var watched: [UInt32: Watched] = [:]
            for partition in progress where partition.hasWork {
                var entry = Watched(partition: partition.partition, committed: partition.committed, since: now)
                if let before = state.watched[partition.epoch], before.committed == partition.committed {
                    entry.since = isWaiting || wasAway ? now : before.since
                    entry.isStalled = before.isStalled && !isWaiting
                }
                if !entry.isStalled, now - entry.since >= timeout {
                    entry.isStalled = true
                    changes.stalled.append(entry.stall)
                }
                watched[partition.epoch] = entry
            }
            changes.ended = state.watched.filter { $0.value.isStalled && watched[$0.key]?.isStalled != true }
                .map(\.value.stall)
            state.watched = watched
            return changes
        }
    }

    /// Partitions that stand still now.
    var stalls: [Stall] {
        state.withLock { state in
            state.watched.values.filter(\.isStalled).map(\.stall).sorted { $0.partition < $1.partition }
        }
    }

    /// Whether somebody looks, as long as there is something to look at: if not, nothing is known.
    func isAwake(now: MonotonicTime = .now) -> Bool {
        state.withLock { $0.lastLook }.map { now - $0 < max(timeout, .seconds(10)) } ?? true
    }
}

/// How far one partition is, as the watchdog wants to know it.
struct PartitionProgress: Sendable {
    let partition: TopicPartition
    /// Of its assignment.
    let epoch: UInt32
    /// The offset known to be committed in this assignment, if there is one.
    let committed: Int64?
    /// Whether anything was taken of it that is not committed.
    let hasWork: Bool
}
