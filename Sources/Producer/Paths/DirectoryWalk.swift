import Glibc

/// All files beneath a folder, folder by folder in order of name. Links to folders are not followed, so there are no
/// loops; links to files are listed.
///
/// A folder's names are read and sorted in runs of `runLength`: up to that many names are in memory for each folder on
/// the way down, and a larger folder comes as several sorted runs.
struct DirectoryWalk {
    /// Which files are taken by their name; folders whose name begins with a dot are left out unless `includesHidden`.
    struct Filter: Sendable {
        var extensions: Set<String>
        var includesHidden = false

        /// Names that end like a supported image.
        static let images = Filter(extensions: ["jpg", "jpeg", "png"])
        /// Everything.
        static let all = Filter(extensions: [], includesHidden: true)

        func takes(file name: String) -> Bool {
            if extensions.isEmpty { return true }
            guard let dot = name.lastIndex(of: ".") else { return false }
            return extensions.contains(name[name.index(after: dot)...].lowercased())
        }

        func takes(anything name: String) -> Bool { includesHidden || !name.hasPrefix(".") }
    }

    private struct Entry {
        var name: String
        var isDirectory: Bool
    }

    private struct Level {
        let stream: DirectoryStream
        /// Relative to the root, with a slash at its end unless empty.
        let prefix: String
        var run: [Entry] = []
        var next = 0
    }

    private let root: StorageRoot
    private let filter: Filter
    private let runLength: Int
    private var levels: [Level] = []
    private var problems: [ListedPath] = []

    /// - Parameter folder: relative to the root, empty for the root itself.
    init(_ folder: String, root: StorageRoot, filter: Filter, runLength: Int = 1 << 18) {
        self.root = root
        self.filter = filter
        self.runLength = runLength
        descend(folder)
    }

    mutating func next() -> ListedPath? {
        while true {
            if !problems.isEmpty { return problems.removeFirst() }
            guard var level = levels.popLast() else { return nil }
            if level.next == level.run.count {
                level.run = readRun(level)
                level.next = 0
                // At its end the folder is closed.
                if !level.run.isEmpty { levels.append(level) }
                continue
            }
            let entry = level.run[level.next]
            level.next += 1
            levels.append(level)
            let path = level.prefix + entry.name
            if !entry.isDirectory { return .image(path) }
            descend(path)
        }
    }

    private mutating func descend(_ folder: String) {
        let absolute = root.path + "/" + folder
        guard let stream = DirectoryStream(absolute) else {
            problems.append(.problem(path: absolute, reason: errorText(errno)))
            return
        }
        levels.append(Level(stream: stream, prefix: folder.isEmpty ? "" : folder + "/"))
    }

    private mutating func readRun(_ level: Level) -> [Entry] {
        var entries: [Entry] = []
        while entries.count < runLength {
            guard let (bytes, type) = level.stream.next() else {
                let code = errno
                if code != 0 {
                    problems.append(.problem(path: root.path + "/" + level.prefix, reason: errorText(code)))
                }
                break
            }
            guard let name = String(validating: bytes, as: UTF8.self) else {
                let shown = level.prefix + String(decoding: bytes, as: UTF8.self)
                problems.append(.problem(path: shown, reason: "the name is not UTF-8, a request cannot hold it"))
                continue
            }
            guard name != ".", name != "..", filter.takes(anything: name) else { continue }
            switch kind(of: name, type: type, in: level) {
            case .directory: entries.append(Entry(name: name, isDirectory: true))
            case .file where filter.takes(file: name): entries.append(Entry(name: name, isDirectory: false))
            // What went in the meantime is no problem, nor is a link that leads nowhere.
            case .unreachable(let code) where code != ENOENT && code != ELOOP && filter.takes(file: name):
                problems.append(.problem(path: level.prefix + name, reason: errorText(code)))
            default: break
            }
        }
        entries.sort { $0.name < $1.name }
        return entries
    }

    /// Most file systems tell the type with the name; else, and for links, it is looked up.
    private func kind(of name: String, type: Int, in level: Level) -> FileKind {
        switch type {
        case Int(DT_REG): return .file
        case Int(DT_DIR): return .directory
        case Int(DT_LNK), Int(DT_UNKNOWN):
            let path = root.path + "/" + level.prefix + name
            var status = stat()
            guard lstat(path, &status) == 0 else { return .unreachable(errno) }
            if status.st_mode & S_IFMT != S_IFLNK { return FileKind(mode: status.st_mode) }
            let target = FileKind(path: path)
            return target == .directory ? .special : target
        default: return .special
        }
    }
}

/// An open folder, closed when the object goes.
private final class DirectoryStream {
    private let stream: OpaquePointer

    /// errno tells why it failed.
    init?(_ path: String) {
        guard let stream = opendir(path) else { return nil }
        self.stream = stream
    }

    deinit { closedir(stream) }

    /// A name's bytes and its type (`DT_…`); nil at the end, where errno is 0, and at an error.
    func next() -> ([UInt8], Int)? {
        errno = 0
        guard let entry = readdir(stream) else { return nil }
        return withUnsafeBytes(of: entry.pointee.d_name) { name in
            (Array(name.prefix { $0 != 0 }), Int(entry.pointee.d_type))
        }
    }
}

/// The system's words for an errno.
func errorText(_ code: Int32) -> String { String(cString: strerror(code)).lowercased() }
