import Foundation
import Messaging
import Telemetry

/// The directory that the workers of a host share (`--state-dir`): a journal each, and the list of suspects that those of dead
/// workers are merged into. Everything in it may have been written by anyone: it is looked at with care, and what is
/// no good is passed over with a warning.
struct StateDirectory: Sendable {
    private static let maximumFiles = 10_000
    private static let maximumListBytes = 8 << 20
    private static let lockPatience = Duration.seconds(1)

    let path: String
    let logger: Logger

    /// Makes the directory if it is not there.
    init(path: String, logger: Logger) throws(JournalUnavailable) {
        self.path = path
        self.logger = logger
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw JournalUnavailable("cannot make the state directory \(path): \(describe(errno))")
        }
    }

    /// Merges the journals of dead workers into the list, changes it, and gives it as it is then. Nil if it cannot be had now.
    func update(own name: String, _ change: (inout SuspectList) -> Void) -> SuspectList? {
        guard let lock = lock() else { return nil }
        defer { close(lock) }
        var list = load()
        let before = list
        let dead = deadJournals(but: name)
        let now = Telemetry.Timestamp.now()
        for journal in dead {
            if let contents = journal.contents { list.merge(contents, named: journal.name, at: now) }
        }
        change(&list)
        let names = Set(dead.map(\.name))
        list.merged.formIntersection(names)
        do {
            if list != before { try save(list) }
            for name in names { unlink("\(path)/\(name)") }
            guard !list.merged.isEmpty else { return list }
            list.merged = []
            try save(list)
        } catch {
            warn("the list of suspects cannot be written", error: "\(error)")
        }
        return list
    }

    // MARK: Files

    private struct DeadJournal {
        let name: String
        /// Nil for one that is no good.
        let contents: JournalContents?
    }

    private func deadJournals(but own: String) -> [DeadJournal] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        let journals = names.filter { $0.hasPrefix("worker-") && $0.hasSuffix(".journal") && $0 != own }
        return journals.prefix(Self.maximumFiles).compactMap { name in
            let descriptor = open("\(path)/\(name)", O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
            guard descriptor >= 0 else {
                warn("a journal is passed over", error: describe(errno), file: name)
                return nil
            }
            defer { close(descriptor) }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return nil }
            let bytes = contents(
                of: descriptor, limit: JournalFormat.fileBytes(slots: JournalFormat.maximumSlots))
            guard let bytes else {
                warn("a journal is passed over", error: "it is no regular file, or too large", file: name)
                return nil
            }
            let contents = bytes.withUnsafeBytes { JournalContents($0) }
            if contents == nil { warn("a journal is damaged and is removed", error: "not a journal", file: name) }
            return DeadJournal(name: name, contents: contents)
        }
    }

    private func load() -> SuspectList {
        let descriptor = open(listPath, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno != ENOENT { warn("the list of suspects cannot be read", error: describe(errno)) }
            return SuspectList()
        }
        defer { close(descriptor) }
        guard let bytes = contents(of: descriptor, limit: Self.maximumListBytes),
            let list = try? JSONDecoder().decode(SuspectList.self, from: Data(bytes))
        else {
            warn("the list of suspects is damaged; a new one is begun", error: "not a list of suspects")
            return SuspectList()
        }
        return list
    }

    private func save(_ list: SuspectList) throws {
        try JSONEncoder().encode(list).write(to: URL(fileURLWithPath: listPath), options: .atomic)
    }

    private var listPath: String { "\(path)/suspects.json" }

    /// All of a regular file's bytes, unless they are too many.
    private func contents(of descriptor: Int32, limit: Int) -> [UInt8]? {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= limit else {
            return nil
        }
        let size = Int(status.st_size)
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let got = read(descriptor, buffer.baseAddress.map { $0 + count }, size - count)
                if got <= 0 { break }
                count += got
            }
        }
    }

    /// The list is one worker's at a time. One that was stopped while it had it does not hold the others for long.
    private func lock() -> Int32? {
        let descriptor = open("\(path)/lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            warn("the state directory cannot be locked", error: describe(errno))
            return nil
        }
        let deadline = MonotonicTime.now + Self.lockPatience
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard MonotonicTime.now < deadline else {
                warn("the state directory cannot be locked", error: "another worker has had the lock for too long")
                close(descriptor)
                return nil
            }
            usleep(10_000)
        }
        return descriptor
    }

    private func warn(_ message: String, error: String, file: String? = nil) {
        var metadata: Logger.Metadata = ["state_dir": .string(path), "error": .string(error)]
        if let file { metadata["file"] = .string(file) }
        logger.warning(message, metadata: metadata)
    }
}
