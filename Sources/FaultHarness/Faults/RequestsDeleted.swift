import Messaging
import TestSupport

/// All workers are stopped, and retention overtakes the group: requests are deleted that nobody has read. When the workers
/// come back they must count exactly these.
struct RequestsDeleted: Fault {
    /// How much of what waits in a partition is deleted, in percent.
    let share: Int

    init(on shape: ClusterShape, drawnFrom generator: inout SeededGenerator) { share = generator.draw(20...80) }

    var description: String { "stop all workers, delete \(share)% of the waiting requests, start them again" }

    func strike(_ stage: Stage) throws {
        let slots = stage.workers.running
        stage.workers.stop(slots)
        let partitions = stage.requestPartitions
        // Some backlog, so that there is something to delete.
        _ = try stage.eventually(within: .seconds(15)) {
            try stage.offsets.backlog(of: partitions).values.reduce(0) { $0 + $1.count } >= 3 * partitions.count
        }
        let waiting = try stage.offsets.backlog(of: partitions)
        let cuts = waiting.compactMap { partition, offsets -> TopicPartitionOffset? in
            let count = Int64(offsets.count * share / 100)
            return count > 0 ? TopicPartitionOffset(partition, offset: offsets.lowerBound + count) : nil
        }
        let first = try stage.admin.deleteRecords(before: cuts, timeout: .seconds(20))
        for item in first {
            guard let lost = waiting[item.partition], item.offset > lost.lowerBound else { continue }
            stage.ledger.noteDeleted(item.partition.partition, lost.lowerBound..<item.offset)
        }
        try stage.workers.start(slots)
        // A worker that is killed after it has counted and before it has committed would count again.
        let overtaken = try stage.eventually(within: .seconds(60)) {
            let committed = try stage.offsets.committed(of: partitions)
            return first.allSatisfy { (committed[$0.partition] ?? -1) > $0.offset }
        }
        if !overtaken { stage.journal.note("the group has not passed the deleted requests within 60 s") }
    }
}
