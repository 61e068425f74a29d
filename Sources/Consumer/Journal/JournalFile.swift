import CLinux
import Glibc

/// The journal of this process: a small file, mapped, so that noting a request is a few stores in memory, which outlive the
/// process however it ends. Locked for as long as the process lives: an unlocked journal is one of a dead process.
///
/// `@unchecked Sendable`: `base` points to the mapping from `init` to the process's end. A slot is written by the one pool thread
/// that it belongs to, and its state word, like the header's, by atomic stores.
final class JournalFile: @unchecked Sendable {
    let name: String
    private let directory: String
    private let base: UnsafeMutableRawPointer
    private let slots: Int
    /// Held for its lock.
    private let descriptor: Int32

    /// Makes the file. It gets its name when it is locked and whole, so that nobody takes it for a dead process's.
    /// - Throws: `JournalUnavailable`.
    init(directory: String, slots: Int) throws(JournalUnavailable) {
        let name = "worker-\(getpid())-\(UInt64.random(in: 0 ... .max)).journal"
        let unfinished = "\(directory)/.\(name)"
        let byteCount = JournalFormat.fileBytes(slots: slots)
        let descriptor = open(unfinished, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw JournalUnavailable("cannot write in the state directory \(directory): \(describe(errno))")
        }
        // Room is taken now: a store into a mapped file on a full disk would end the process.
        let full = posix_fallocate(descriptor, 0, byteCount)
        let base = full == 0 ? mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0) : MAP_FAILED
        guard let base, base != MAP_FAILED, flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = full == 0 ? errno : full
            unlink(unfinished)
            close(descriptor)
            throw JournalUnavailable("cannot make a journal in the state directory \(directory): \(describe(code))")
        }
        base.copyMemory(from: JournalFormat.magic, byteCount: JournalFormat.magic.count)
        base.storeBytes(of: JournalFormat.version, toByteOffset: 8, as: UInt32.self)
        base.storeBytes(of: UInt32(slots), toByteOffset: 12, as: UInt32.self)
        guard rename(unfinished, "\(directory)/\(name)") == 0 else {
            let code = errno
            unlink(unfinished)
            munmap(base, byteCount)
            close(descriptor)
            throw JournalUnavailable("cannot make a journal in the state directory \(directory): \(describe(code))")
        }
        (self.name, self.directory, self.base, self.slots, self.descriptor) = (name, directory, base, slots, descriptor)
    }

    deinit {
        munmap(base, JournalFormat.fileBytes(slots: slots))
        close(descriptor)
    }

    /// The request is on a pool thread from now on.
    func begin(_ entry: JournalEntry, slot: Int) {
        JournalFormat.write(
            entry, to: UnsafeMutableRawBufferPointer(start: start(of: slot), count: JournalFormat.slotBytes))
        setState(.running, of: slot)
    }

    func end(slot: Int) { setState(.free, of: slot) }

    func markHung(slot: Int) { setState(.hung, of: slot) }

    /// Notes that the process ends because a thread hangs.
    func markEndByHang() { kaption_store_release(word(JournalFormat.endOffset), JournalFormat.End.hung.rawValue) }

    /// From now on a signal that the process itself causes is noted before it ends it. Once a process, for a journal that
    /// lives as long.
    func noteCrashes() {
        kaption_note_crashes(word(JournalFormat.endOffset), JournalFormat.End.crashed.rawValue)
    }

    /// For a process that ends in good order.
    func remove() { unlink("\(directory)/\(name)") }

    private func setState(_ state: JournalFormat.SlotState, of slot: Int) {
        kaption_store_release(start(of: slot).assumingMemoryBound(to: UInt32.self), state.rawValue)
    }

    private func start(of slot: Int) -> UnsafeMutableRawPointer {
        precondition((0..<slots).contains(slot), "a slot that the journal does not have")
        return base + JournalFormat.headerBytes + slot * JournalFormat.slotBytes
    }

    private func word(_ offset: Int) -> UnsafeMutablePointer<UInt32> {
        (base + offset).assumingMemoryBound(to: UInt32.self)
    }
}

/// Why there can be no journal, and what to do.
struct JournalUnavailable: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
