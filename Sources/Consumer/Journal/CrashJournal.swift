import Messaging
import Synchronization
import Telemetry

/// Keeps an input that ends the process from doing so for ever (`--state-dir`).
///
/// What is on the pool's threads is in this worker's journal. What was in the journal of a worker that came to an unclean end is
/// suspect: it runs alone from then on, so that the next end has one culprit, and what has ended a process twice is not
/// run again. Used by the poll thread (`refresh`, `suspicion`), pool threads (slots) and the caretaker (`tidy`).
final class CrashJournal: Sendable {
    enum Suspicion: Sendable {
        case runsAlone
        case condemned(RequestFailure)
    }

    private let directory: StateDirectory
    private let file: JournalFile
    private let logger: Logger
    private let count = Atomic(0)
    private let suspects = Mutex<[JournalEntry: Suspect]>([:])
    private let hasHung = Atomic(false)

    /// - Parameter slots: requests that can be on the pool's threads at once.
    init(directory path: String, slots: Int, logger: Logger) throws(JournalUnavailable) {
        directory = try StateDirectory(path: path, logger: logger)
        file = try JournalFile(directory: path, slots: slots)
        self.logger = logger
        refresh(committed: [])
    }

    /// From now on a crash of this process is noted as one. For a journal that lives as long as the process.
    func noteCrashes() { file.noteCrashes() }

    /// Takes in what workers of this host have left behind, and forgets what has been committed since. Before requests of newly
    /// assigned partitions are looked at.
    func refresh(committed: [TopicPartitionOffset]) {
        let offsets = Dictionary(committed.map { ($0.partition, $0.offset) }, uniquingKeysWith: max)
        update { offsets[$0] }
    }

    /// Forgets suspects that have been answered and committed.
    /// - Parameter confirmed: the committed offset of a partition, where it is known.
    func tidy(confirmed: (TopicPartition) -> Int64?) {
        let isDone = suspects.withLock { suspects in
            suspects.keys.contains { entry in
                confirmed(TopicPartition(topic: entry.topic, partition: entry.partition)).map { entry.offset < $0 }
                    ?? false
            }
        }
        if isDone { update(committed: confirmed) }
    }

    /// What is held against a request; nil of almost all of them.
    func suspicion(of message: KafkaMessage) -> Suspicion? {
        guard count.load(ordering: .relaxed) > 0, let suspect = suspects.withLock({ $0[JournalEntry(message)] }) else {
            return nil
        }
        return suspect.failure.map { .condemned($0) } ?? .runsAlone
    }

    // MARK: The pool

    func begin(_ message: KafkaMessage, slot: Int) { file.begin(JournalEntry(message), slot: slot) }

    func end(slot: Int) { file.end(slot: slot) }

    /// These slots' requests are what the process is about to be ended for.
    func condemn(slots: [Int]) {
        hasHung.store(true, ordering: .relaxed)
        for slot in slots { file.markHung(slot: slot) }
        file.markEndByHang()
    }

    /// At an end in good order. After a hang the journal stays, for whoever starts next.
    func close() {
        if !hasHung.load(ordering: .relaxed) { file.remove() }
    }

    private func update(committed: (TopicPartition) -> Int64?) {
        let now = Telemetry.Timestamp.now()
        let list = directory.update(own: file.name) { $0.prune(at: now, committed: committed) }
        guard let list else { return }
        let found = Dictionary(list.suspects.map { ($0.entry, $0) }, uniquingKeysWith: { $1 })
        let new = suspects.withLock { suspects in
            defer { suspects = found }
            return found.values.filter { suspects[$0.entry] != $0 }
        }
        count.store(found.count, ordering: .relaxed)
        for suspect in new {
            logger.warning(
                suspect.failure == nil
                    ? "a worker ended uncleanly while it was at this request, which runs alone now"
                    : "workers ended uncleanly while they were at this request, which is not run again",
                metadata: [
                    "request": .string("\(suspect.entry.topic)[\(suspect.entry.partition)]@\(suspect.entry.offset)"),
                    "crashes": .integer(suspect.crashes), "hangs": .integer(suspect.hangs),
                    "kills": .integer(suspect.kills),
                ])
        }
    }
}

extension JournalEntry {
    init(_ message: KafkaMessage) {
        self.init(
            topic: message.topic, partition: message.partition, offset: message.offset, timestamp: message.timestamp)
    }
}
