import Messaging

/// A request that was on a pool thread when a worker of this host came to an unclean end, and how often.
struct Suspect: Sendable, Equatable, Codable {
    /// What is enough. A process that was ended from outside says little about the request that it was at, so that takes more:
    /// but the kernel ends a process that an image made too large in the same way.
    private static let ownEndsToCondemn = 2
    private static let endsToCondemn = 5

    let entry: JournalEntry
    /// Signals that the process caused itself.
    var crashes = 0
    /// Threads that did not come back from it.
    var hangs = 0
    /// Ends from outside.
    var kills = 0
    /// When it was last seen to be on a thread at an unclean end, in milliseconds since 1970.
    var lastSeen: Int64

    mutating func count(_ end: JournalFormat.End, at time: Int64) {
        switch end {
        case .crashed: crashes += 1
        case .hung: hangs += 1
        case .killed: kills += 1
        }
        lastSeen = time
    }

    /// What it is answered with instead of being run once more; nil while it may still be innocent.
    var failure: RequestFailure? {
        guard crashes + hangs >= Self.ownEndsToCondemn || crashes + hangs + kills >= Self.endsToCondemn else {
            return nil
        }
        if hangs > 0, crashes == 0 {
            return RequestFailure(
                .imageTimeout,
                "captioning the image did not come to an end, \(times(hangs)); the worker had to be ended")
        }
        return RequestFailure(
            .workerCrashed, "workers ended while they were at this image, \(times(crashes + hangs + kills))")
    }

    private func times(_ number: Int) -> String { number == 1 ? "once" : "\(number) times" }
}

/// All suspects of a host, as the file that its workers share holds them.
struct SuspectList: Sendable, Equatable, Codable {
    static let maximumCount = 4096
    private static let maximumAge: Int64 = 7 * 86_400_000

    private(set) var suspects: [Suspect] = []
    /// Journals whose contents are in here already, should their files not be gone yet.
    var merged: Set<String> = []

    /// Takes in what a dead process's journal says.
    mutating func merge(_ journal: JournalContents, named name: String, at time: Int64) {
        guard merged.insert(name).inserted else { return }
        // Where the thread that hung is known, the others are innocent.
        let entries = journal.end == .hung ? journal.hung : journal.running
        for entry in entries {
            if let index = suspects.firstIndex(where: { $0.entry == entry }) {
                suspects[index].count(journal.end, at: time)
            } else {
                var suspect = Suspect(entry: entry, lastSeen: time)
                suspect.count(journal.end, at: time)
                suspects.append(suspect)
            }
        }
    }

    /// Forgets what has been answered and committed, what is older than any sensible retention, and of too many the oldest.
    mutating func prune(at time: Int64, committed: (TopicPartition) -> Int64?) {
        suspects.removeAll { suspect in
            let entry = suspect.entry
            let offset = committed(TopicPartition(topic: entry.topic, partition: entry.partition))
            return offset.map { entry.offset < $0 } ?? false || time - suspect.lastSeen > Self.maximumAge
        }
        if suspects.count > Self.maximumCount {
            suspects.sort { $0.lastSeen > $1.lastSeen }
            suspects.removeLast(suspects.count - Self.maximumCount)
        }
    }
}
