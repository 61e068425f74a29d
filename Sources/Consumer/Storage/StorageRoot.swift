import CLinux
import Glibc

/// The directory that holds the images. Paths from requests are resolved beneath it by the kernel, so that neither `..`
/// nor a symbolic link leaves it, whatever is renamed meanwhile.
///
/// Owns the root's file descriptor. Used by all I/O threads at once: it holds no other state.
final class StorageRoot: Sendable {
    let path: String
    private let descriptor: Int32

    /// Opens the root and makes sure that the kernel can resolve beneath it.
    /// - Throws: `StorageUnavailable`, which says what to do.
    init(path: String) throws(StorageUnavailable) {
        self.path = path
        descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw StorageUnavailable("cannot open the storage directory \(path): \(describe(errno))")
        }
        let probe = kaption_open_beneath(descriptor, ".")
        guard probe >= 0 else {
            close(descriptor)
            switch -probe {
            case ENOSYS, EPERM, EINVAL:
                throw StorageUnavailable(
                    "this system does not offer openat2, without which image paths cannot be held inside the storage "
                        + "directory: Linux 5.6 or newer is needed, and in a container a seccomp profile that allows openat2",
                    isPermanent: true)
            default:
                throw StorageUnavailable("cannot read the storage directory \(path): \(describe(-probe))")
            }
        }
        close(probe)
    }

    deinit { close(descriptor) }

    func withDescriptor<Result>(_ body: (Int32) -> Result) -> Result { body(descriptor) }

    /// Opens a regular file beneath the root, without blocking and without reading.
    /// - Parameters:
    ///   - path: as the request has it, relative to the root.
    ///   - limit: the most bytes an image may have.
    func open(_ path: String, limit: Int) throws(ImageAccessError) -> OpenedImage {
        guard !path.isEmpty else { throw .init(.rejected, "the image path is empty") }
        guard !path.utf8.contains(0) else { throw .init(.rejected, "the image path holds a NUL byte") }
        let file = kaption_open_beneath(descriptor, path)
        guard file >= 0 else { throw ImageAccessError(openingFailedWith: -file) }
        do {
            return OpenedImage(descriptor: file, byteCount: try size(ofImage: file, limit: limit))
        } catch {
            close(file)
            throw error
        }
    }

    private func size(ofImage file: Int32, limit: Int) throws(ImageAccessError) -> Int {
        var status = stat()
        guard fstat(file, &status) == 0 else {
            throw .init(.unreadable, "the image's status cannot be read: \(describe(errno))")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .init(.rejected, "the image path names \(kind(of: status.st_mode)), not a regular file")
        }
        guard status.st_size <= limit else {
            throw .init(.tooLarge, "the image has \(status.st_size) bytes; at most \(limit) are allowed")
        }
        return Int(status.st_size)
    }

    private func kind(of mode: mode_t) -> String {
        switch mode & S_IFMT {
        case S_IFDIR: "a directory"
        case S_IFIFO: "a FIFO"
        case S_IFSOCK: "a socket"
        default: "a device"
        }
    }
}

/// Why the storage as a whole cannot be used.
struct StorageUnavailable: Error, CustomStringConvertible {
    let description: String
    /// Whether waiting for it is in vain.
    let isPermanent: Bool

    init(_ description: String, isPermanent: Bool = false) {
        self.description = description
        self.isPermanent = isPermanent
    }
}

/// Why one image cannot be read.
struct ImageAccessError: Error, Equatable {
    enum Kind { case rejected, notFound, unreadable, tooLarge }

    let kind: Kind
    let message: String

    init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    init(openingFailedWith code: Int32) {
        switch code {
        case EXDEV:
            self.init(.rejected, "the image path leads out of the storage directory")
        case ELOOP:
            self.init(.rejected, "the image path has too many symbolic links, or one that may not be followed")
        case ENAMETOOLONG:
            self.init(.rejected, "the image path is too long")
        case ENXIO:
            self.init(.rejected, "the image path names a socket or a device, not a regular file")
        case ENOENT, ENOTDIR:
            self.init(.notFound, "there is no such image in the storage directory")
        default:
            self.init(.unreadable, "the image cannot be opened: \(describe(code))")
        }
    }
}

func describe(_ code: Int32) -> String { String(cString: strerror(code)) }
