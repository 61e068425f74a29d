import Synchronization

/// The storage directory over the worker's life: where images are read from now, and whether what is found at its path is still
/// the storage of the start.
///
/// An open directory pins its file system, so that reading goes on from a storage that was renamed or lazily unmounted, and
/// an image that is missing there is truly missing. Only a check looks at the path again. Used by any thread; `complete` may
/// hang as any call into a storage may.
final class Storage: Sendable {
    private struct State {
        var root: StorageRoot
        var lastCheck = 0
        /// The image that was read last.
        var witness: String?
        /// Why the last check failed, or that it does not return.
        var absence: String?
        var isExhausted = false
    }

    let path: String
    private let sentinel: String?
    private let identity: StorageIdentity
    private let readiness: Readiness
    private let checks = Atomic(0)
    private let state: Mutex<State>

    /// Opens the storage for the first time: what is there now is what is expected from now on.
    /// - Parameter sentinel: a file beneath the root that is there if and only if the storage is.
    init(path: String, sentinel: String?, readiness: Readiness) throws(StorageUnavailable) {
        self.path = path
        self.sentinel = sentinel
        self.readiness = readiness
        let root = try StorageRoot(path: path)
        identity = try root.identity(sentinel: sentinel)
        state = Mutex(State(root: root))
        readiness.meet(.storage)
    }

    /// What images are read from.
    var root: StorageRoot { state.withLock { $0.root } }

    /// Whether the storage is there, as far as is known.
    var isAvailable: Bool { state.withLock { $0.absence == nil && !$0.isExhausted } }

    /// Begins a check, which is told by its number from those that overlap with it.
    func beginCheck() -> Int { checks.add(1, ordering: .relaxed).newValue }

    /// Opens the path anew. Gives the root that it leads to if that is the storage of the start, and reads from there on;
    /// nil if it is not there.
    func complete(check number: Int) -> StorageRoot? {
        do throws(StorageUnavailable) {
            let root = try StorageRoot(path: path)
            let found = try root.identity(sentinel: sentinel)
            guard found.isSameStorage(as: identity) else { throw StorageUnavailable(difference) }
            try hear(state.withLock { $0.witness }, of: root)
            conclude(check: number, found: root, absence: nil)
            return root
        } catch {
            conclude(check: number, found: nil, absence: error.description)
            return nil
        }
    }

    /// An image has been read.
    func noteRead(of image: String) { state.withLock { $0.witness = image } }

    /// A storage whose files all fail can look sound from its directory. An image that could be read tells the difference: if
    /// it cannot be read any more, it is not the other images that are at fault.
    private func hear(_ witness: String?, of root: StorageRoot) throws(StorageUnavailable) {
        guard let witness else { return }
        do throws(ImageAccessError) {
            let file = try root.open(witness, limit: .max)
            file.forgetBeginning()
            try file.readFirstByte()
        } catch {
            // An image may have been removed or locked away since, and that says nothing.
            guard error.isInputOutputError else { return }
            throw StorageUnavailable("the storage directory \(path) cannot be read from: \(error.message)")
        }
    }

    /// A check in a call that may hang. Nil when it was given up: then the storage counts as one that does not answer, and `onHung` has been
    /// called, on another thread.
    func check(by supervisor: ReadSupervisor, onHung: @escaping @Sendable () -> Void = {}) -> StorageRoot?? {
        let number = beginCheck()
        return supervisor.call {
            complete(check: number)
        } onHung: {
            self.fallSilent(check: number)
            onHung()
        }
    }

    /// The check has not returned in time.
    func fallSilent(check number: Int) {
        conclude(check: number, found: nil, absence: "the storage directory \(path) does not answer")
    }

    /// Whether so many reads hang that no thread is left to read.
    func exhausted(_ isExhausted: Bool) {
        state.withLock { state in
            guard state.isExhausted != isExhausted else { return }
            state.isExhausted = isExhausted
            report(state)
        }
    }

    private var difference: String {
        guard sentinel == nil else {
            return "the sentinel in the storage directory \(path) is not the one of the start: another storage is there"
        }
        return
            "\(path) is not the directory of the start: the storage was unmounted or hidden, or mounted anew. If this is "
            + "the right storage, restart the worker; with --storage-sentinel it knows by itself"
    }

    /// Of two checks that overlap, the one that began later counts.
    private func conclude(check number: Int, found root: StorageRoot?, absence: String?) {
        state.withLock { state in
            guard number >= state.lastCheck else { return }
            state.lastCheck = number
            state.absence = absence
            if let root { state.root = root }
            report(state)
        }
    }

    private func report(_ state: borrowing State) {
        if let absence = state.absence {
            readiness.miss(.storage, because: absence)
        } else if state.isExhausted {
            readiness.miss(.storage, because: "too many reads of the storage directory \(path) do not return")
        } else {
            readiness.meet(.storage)
        }
    }
}
