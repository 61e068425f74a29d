import Messaging

/// The lane of one assignment of a partition, and what of it has been committed. A value type without locks: the `Ledger` owns
/// all of them, and looks one up once for several requests.
struct AssignedLane<Answer: Sendable>: Sendable {
    let partition: TopicPartition
    var lane: PartitionLane<Answer>
    /// Sent to be committed, and known to be.
    var requestedCommit: Int64 = -1
    var confirmedCommit: Int64 = -1

    /// Takes records in; nil for one that is to be ignored.
    mutating func admit(_ records: [(offset: Int64, bytes: Int)], epoch: UInt32) -> [Place?] {
        records.map { record in
            lane.admit(offset: record.offset, bytes: record.bytes).map { Place(epoch: epoch, sequence: $0) }
        }
    }

    /// Takes answers in, all of this lane, and gives those that leave now.
    mutating func finish(
        _ answers: ArraySlice<(place: Place, answer: Answer)>, messages: (Answer) -> Int,
        release: (Int, Answer) -> Void
    ) {
        for (place, answer) in answers {
            lane.finish(place.sequence, with: answer, messages: messages, release: release)
        }
    }

    /// Ends what `items` name, all of this lane, and adds the answers that nobody needs any more to `dropped`. How many
    /// places were freed, and their bytes.
    mutating func free<Item>(
        _ items: ArraySlice<Item>, dropping dropped: inout [Answer],
        by end: (inout PartitionLane<Answer>, Item) -> (bytes: Int, answer: Answer)?
    ) -> (requests: Int, bytes: Int) {
        var freed = (requests: 0, bytes: 0)
        for item in items {
            guard let (bytes, answer) = end(&lane, item) else { continue }
            freed.requests += 1
            freed.bytes += bytes
            dropped.append(answer)
        }
        return freed
    }
}
