import Messaging

/// What has become of one partition's dead letters, over all runs of a replay group: which were replayed, whatever was
/// passed over before them.
///
/// The group's committed offset stands before the first dead letter that was not replayed; those replayed beyond it stand in
/// the commit's metadata. So a filter leaves what it passes over to later runs, and nothing is replayed twice.
struct ReplayLedger {
    /// The metadata is kept this much below its limit, so that deliveries that fail in between still fit.
    private static let roomyBytes = OffsetAndMetadata.maximumMetadataBytes * 3 / 4
    private static let checkInterval = 128

    let partition: TopicPartition
    /// Where the partition ended when the run began: what comes later is left to the next run.
    let end: Int64
    /// Replayed by earlier runs.
    private let known: [Range<Int64>]
    private let start: Int64
    private var next: Int64
    /// Read and passed over, ascending.
    private var passed: [Int64] = []
    /// Sent and not acknowledged, or failed.
    private var unsettled: Set<Int64> = []
    private var isChanged = false
    private var asked = 0
    private var isFull = false

    /// - Parameters:
    ///   - committed: nil for a group that is new.
    ///   - range: what the partition holds.
    ///   - Throws: `ReplayFailure` if the metadata was written by something else.
    init(_ partition: TopicPartition, committed: OffsetAndMetadata?, range: Range<Int64>) throws {
        self.partition = partition
        let offset = committed?.offset ?? range.lowerBound
        guard let known = OffsetRanges.ranges(committed?.metadata ?? "", after: offset) else {
            throw ReplayFailure(
                "the group's offset of \(partition) was not committed by a replay: give --replay-group another name")
        }
        // What retention has deleted needs no decision any more. An offset beyond the end is of a topic made anew, and all that
        // is known of the one before it.
        let isAnew = offset > range.upperBound
        self.known = isAnew ? [] : known
        start = isAnew ? range.lowerBound : max(offset, range.lowerBound)
        next = start
        end = range.upperBound
    }

    /// Where to read on.
    var position: Int64 { next }

    var isAtEnd: Bool { next >= end }

    /// Notes how far the partition was read.
    mutating func advance(to offset: Int64) { next = max(next, offset) }

    func isReplayed(_ offset: Int64) -> Bool {
        var (low, high) = (0, known.count)
        while low < high {
            let middle = (low + high) / 2
            if known[middle].upperBound <= offset { low = middle + 1 } else { high = middle }
        }
        return low < known.count && known[low].contains(offset)
    }

    /// The dead letter at the place read last is left to a later run.
    mutating func pass(_ offset: Int64) {
        passed.append(offset)
        isChanged = true
    }

    /// It is sent: it counts as replayed from `settle` on.
    mutating func begin(_ offset: Int64) { unsettled.insert(offset) }

    mutating func settle(_ offset: Int64) {
        unsettled.remove(offset)
        isChanged = true
    }

    /// Nothing is to be sent for it, now or later.
    mutating func dismiss() { isChanged = true }

    /// Whether one more that is replayed fits into the commit's metadata, whatever stands between it and the others. To be
    /// asked before each: it looks at everything once in a while, and stays false.
    mutating func hasRoom() -> Bool {
        asked += 1
        if asked % Self.checkInterval == 0, !isFull { isFull = offset.metadata.utf8.count > Self.roomyBytes }
        return !isFull
    }

    /// What to commit, if anything has changed.
    mutating func takeOffset() -> OffsetAndMetadata? {
        guard isChanged else { return nil }
        isChanged = false
        return offset
    }

    /// After a commit that failed.
    mutating func keep() { isChanged = true }

    private var offset: OffsetAndMetadata {
        var ranges: [Range<Int64>] = []
        var cursor = start
        for open in merged(passed, unsettled.sorted()) {
            if open > cursor { ranges.append(cursor..<open) }
            cursor = open + 1
        }
        if next > cursor { ranges.append(cursor..<next) }
        for range in known where range.upperBound > next {
            let lower = max(range.lowerBound, next)
            if let last = ranges.last, last.upperBound == lower {
                ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
            } else {
                ranges.append(lower..<range.upperBound)
            }
        }
        var watermark = start
        if let first = ranges.first, first.lowerBound == start {
            watermark = first.upperBound
            ranges.removeFirst()
        }
        return OffsetAndMetadata(
            partition, offset: watermark, metadata: OffsetRanges.text(ranges, after: watermark))
    }
}

/// Two ascending lists as one.
private func merged(_ first: [Int64], _ second: [Int64]) -> [Int64] {
    if second.isEmpty { return first }
    var result: [Int64] = []
    result.reserveCapacity(first.count + second.count)
    var (i, j) = (0, 0)
    while i < first.count || j < second.count {
        if j == second.count || (i < first.count && first[i] < second[j]) {
            result.append(first[i])
            i += 1
        } else {
            result.append(second[j])
            j += 1
        }
    }
    return result
}

/// Why a replay cannot begin or go on, in words.
struct ReplayFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
