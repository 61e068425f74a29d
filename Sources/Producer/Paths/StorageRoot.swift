import CommandLineOptions
import Glibc

/// The folder that workers read images from; requests name images relative to it.
struct StorageRoot: Sendable {
    /// Absolute, without symbolic links and without a slash at its end.
    let path: String

    init(_ folder: String) throws(UsageError) {
        guard let real = realPath(folder), FileKind(path: real) == .directory else {
            throw UsageError("--storage: '\(folder)' is not a folder that can be opened")
        }
        path = real == "/" ? "" : real
    }

    /// The path of something that exists, relative to the root; nil if it lies outside. Links in the folders on its way are
    /// followed; a link at its end is not, so that it keeps its name. The root itself is the empty path.
    func relativePath(of existing: String, isDirectory: Bool) -> String? {
        guard !isDirectory else { return realPath(existing).flatMap(beneath) }
        let slash = existing.lastIndex(of: "/")
        let name = slash.map { existing[existing.index(after: $0)...] } ?? existing[...]
        let folder = slash.map { $0 == existing.startIndex ? "/" : String(existing[..<$0]) } ?? "."
        guard let prefix = realPath(folder).flatMap(beneath) else { return nil }
        return prefix.isEmpty ? String(name) : "\(prefix)/\(name)"
    }

    private func beneath(_ real: String) -> String? {
        if real == path || path.isEmpty && real == "/" { return "" }
        return real.hasPrefix(path + "/") ? String(real.dropFirst(path.count + 1)) : nil
    }
}

/// What a path leads to, links followed.
enum FileKind: Equatable {
    case file, directory
    /// A pipe, a device, a socket.
    case special
    /// Not there, or not to be looked at; errno says why.
    case unreachable(Int32)

    init(path: String) {
        var status = stat()
        self = stat(path, &status) == 0 ? FileKind(mode: status.st_mode) : .unreachable(errno)
    }

    init(mode: mode_t) {
        switch mode & S_IFMT {
        case S_IFREG: self = .file
        case S_IFDIR: self = .directory
        default: self = .special
        }
    }
}

/// The absolute path without links, `.` and `..`; nil if it does not exist or is not UTF-8.
private func realPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(validatingCString: resolved)
}
