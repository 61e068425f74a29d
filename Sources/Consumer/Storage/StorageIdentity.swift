import CLinux

/// What tells one storage from another that is found at the same path: the file system and the root's number there, and, where
/// the operator has named a sentinel, that file's contents.
struct StorageIdentity: Sendable, Equatable {
    /// What a sentinel may hold. A few bytes that no other storage has are enough.
    static let maximumSentinelBytes = 4096

    let device: UInt64
    let inode: UInt64
    /// Nil where there is no sentinel.
    let sentinel: [UInt8]?

    /// Whether this is the storage that `other` was seen of.
    ///
    /// The sentinel alone decides where there is one: a network file system that is mounted again may well have another
    /// device number. Without one, only what has the same numbers is the same: an empty directory that an unmounted
    /// storage leaves behind must never be taken for it.
    func isSameStorage(as other: StorageIdentity) -> Bool {
        if let sentinel, let its = other.sentinel { return sentinel == its }
        return self == other
    }
}

extension StorageRoot {
    /// - Parameter sentinel: a path beneath the root.
    /// - Throws: `StorageUnavailable` also when the sentinel is not there.
    func identity(sentinel path: String?) throws(StorageUnavailable) -> StorageIdentity {
        var (device, inode) = (UInt64(0), UInt64(0))
        let code = withDescriptor { kaption_identify($0, &device, &inode) }
        guard code == 0 else {
            throw StorageUnavailable("the storage directory \(self.path) does not answer: \(describe(-code))")
        }
        guard let path else { return StorageIdentity(device: device, inode: inode, sentinel: nil) }
        do throws(ImageAccessError) {
            let bytes = try open(path, limit: StorageIdentity.maximumSentinelBytes).read()
            return StorageIdentity(
                device: device, inode: inode, sentinel: withExtendedLifetime(bytes) { Array(bytes.buffer) })
        } catch {
            let problem =
                error.kind == .notFound
                ? "is not there"
                : error.message.replacing("the image", with: "it").replacing("image path", with: "path")
            throw StorageUnavailable("the sentinel \(path) in the storage directory \(self.path): \(problem)")
        }
    }
}
