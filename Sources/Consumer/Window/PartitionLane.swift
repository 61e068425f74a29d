/// The requests of one partition that were taken in one assignment of it, in the order of their arrival: what may leave
/// now, and up to which offset everything is done.
///
/// Goes by arrival, never by offset + 1, because offsets have gaps (compaction, transaction markers). A value type
/// without locks: the `Ledger` owns all lanes.
struct PartitionLane<Answer: Sendable>: Sendable {
    /// An entry's number in the order of arrival, from 0.
    typealias Sequence = Int

    private enum Stage {
        /// Not on a pool thread: queued, being read, or waiting to be tried again.
        case waiting
        case running
        /// Answered, but behind one that is not.
        case held(Answer)
        /// Handed to the producer, with a bit for each of its messages that is not acknowledged. The answer stays, to be produced
        /// anew if need be.
        case sent(Answer, unacknowledged: UInt8)
        case done
    }

    private struct Entry {
        let offset: Int64
        let bytes: Int
        var stage = Stage.waiting
    }

    private let order: ReleaseOrder
    /// Those from `head` on are the lane's; `entries[head]` has the sequence `firstSequence`.
    private var entries: [Entry] = []
    private var head = 0
    private var firstSequence: Sequence = 0
    private var nextToRelease: Sequence = 0
    private var isClosed = false

    /// The highest offset taken; what arrives at or below it is a repeat.
    private(set) var highestOffset: Int64?
    /// The offset to commit: one past the last of the contiguous acknowledged prefix. Nil until there is one.
    private(set) var watermark: Int64?

    init(order: ReleaseOrder) { self.order = order }

    /// Entries from the watermark to the newest, whatever their stage.
    var count: Int { entries.count - head }

    /// Takes a record in. Nil for one at or below the highest offset so far, which is to be ignored.
    mutating func admit(offset: Int64, bytes: Int) -> Sequence? {
        if let highestOffset, offset <= highestOffset { return nil }
        highestOffset = offset
        entries.append(Entry(offset: offset, bytes: bytes))
        return firstSequence + count - 1
    }

    /// A pool thread wants to begin. False when the lane has been closed: the job is to be dropped.
    mutating func start(_ sequence: Sequence) -> Bool {
        guard !isClosed, let index = index(of: sequence) else { return false }
        entries[index].stage = .running
        return true
    }

    /// What was to begin did not, and waits again.
    mutating func postpone(_ sequence: Sequence) {
        guard let index = index(of: sequence), case .running = entries[index].stage else { return }
        entries[index].stage = .waiting
    }

    /// Takes an answer in, and gives those that leave now, in order. Each will be produced as `messages` messages.
    mutating func finish(
        _ sequence: Sequence, with answer: Answer, messages: (Answer) -> Int
    ) -> [(sequence: Sequence, answer: Answer)] {
        var released: [(sequence: Sequence, answer: Answer)] = []
        finish(sequence, with: answer, messages: messages) { released.append(($0, $1)) }
        return released
    }

    /// The same, one by one.
    mutating func finish(
        _ sequence: Sequence, with answer: Answer, messages: (Answer) -> Int, release: (Sequence, Answer) -> Void
    ) {
        guard let index = index(of: sequence) else { return }
        switch entries[index].stage {
        case .waiting, .running: entries[index].stage = .held(answer)
        case .held, .sent, .done: return
        }
        var next = order == .partition ? nextToRelease : sequence
        while let index = self.index(of: next), case .held(let answer) = entries[index].stage {
            entries[index].stage = .sent(answer, unacknowledged: Self.bits(messages(answer)))
            release(next, answer)
            next += 1
        }
        nextToRelease = next
    }

    /// A message of an entry is safe in Kafka, however often it was produced. When it was the last one that was not, the entry's
    /// place is free: its bytes, and its answer, which nobody needs any more.
    mutating func acknowledge(_ sequence: Sequence, message: Int = 0) -> (bytes: Int, answer: Answer)? {
        guard let index = index(of: sequence), case .sent(let answer, var left) = entries[index].stage else {
            return nil
        }
        left &= ~(1 << UInt8(message))
        guard left == 0 else {
            entries[index].stage = .sent(answer, unacknowledged: left)
            return nil
        }
        return free(index, answer)
    }

    /// All messages of an entry are safe in Kafka. The same, if it was not done before.
    mutating func complete(_ sequence: Sequence) -> (bytes: Int, answer: Answer)? {
        guard let index = index(of: sequence), case .sent(let answer, _) = entries[index].stage else { return nil }
        return free(index, answer)
    }

    /// The partition is being taken away: nothing starts any more.
    mutating func close() { isClosed = true }

    var isOpen: Bool { !isClosed }

    /// An answer that has been handed to the producer and is not acknowledged.
    func unacknowledgedAnswer(at sequence: Sequence) -> Answer? {
        guard let index = index(of: sequence), case .sent(let answer, _) = entries[index].stage else { return nil }
        return answer
    }

    /// Whether all that can still reach the watermark of a closed lane has: behind the first entry that will never start,
    /// nothing counts any more.
    var isSettled: Bool {
        for entry in entries[head...] {
            switch entry.stage {
            case .waiting: return true
            case .running, .held, .sent: return false
            case .done: continue
            }
        }
        return true
    }

    /// What has been handed to the producer and is not acknowledged, in order of arrival, for a producer made anew: its
    /// answers count as produced by nothing yet.
    mutating func resend(messages: (Answer) -> Int) -> [(sequence: Sequence, answer: Answer)] {
        var again: [(sequence: Sequence, answer: Answer)] = []
        for index in entries.indices[head...] {
            guard case .sent(let answer, _) = entries[index].stage else { continue }
            entries[index].stage = .sent(answer, unacknowledged: Self.bits(messages(answer)))
            again.append((firstSequence + index - head, answer))
        }
        return again
    }

    /// As many messages, none of them acknowledged.
    private static func bits(_ messages: Int) -> UInt8 { (1 << UInt8(messages)) - 1 }

    private func index(of sequence: Sequence) -> Int? {
        guard sequence >= firstSequence, sequence - firstSequence < count else { return nil }
        return head + sequence - firstSequence
    }

    private mutating func free(_ index: Int, _ answer: Answer) -> (bytes: Int, answer: Answer) {
        let bytes = entries[index].bytes
        entries[index].stage = .done
        removeDonePrefix()
        return (bytes, answer)
    }

    private mutating func removeDonePrefix() {
        while head < entries.count, case .done = entries[head].stage {
            watermark = entries[head].offset + 1
            head += 1
            firstSequence += 1
        }
        if head > 64, head * 2 > entries.count {
            entries.removeFirst(head)
            head = 0
        }
    }
}

/// In which order answers leave.
enum ReleaseOrder: String, Sendable, CaseIterable {
    /// In the order of arrival within the source partition.
    case partition
    /// As they come; offsets are still committed by the contiguous watermark.
    case none
}
