import Glibc

/// The images that a command line names: files, folders, patterns, lists on standard input, in the order given.
///
/// A relative path is looked for from the working directory, then from the storage root. A file that is named (by itself, by
/// a pattern or in a list) is taken whatever it is called; in a folder the filter chooses.
struct ImagePaths: IteratorProtocol {
    private enum Source {
        case names(ArraySlice<String>)
        case folder(DirectoryWalk)
        case list(PathList)
    }

    private let root: StorageRoot
    private let filter: DirectoryWalk.Filter
    private let makeList: () -> PathList?
    private var stack: [Source]

    /// - Parameter makeList: called for an argument `-`; nil leaves it out.
    init(
        _ arguments: [String], root: StorageRoot, filter: DirectoryWalk.Filter,
        makeList: @escaping () -> PathList? = { nil }
    ) {
        self.root = root
        self.filter = filter
        self.makeList = makeList
        stack = [.names(arguments[...])]
    }

    mutating func next() -> ListedPath? {
        while let source = stack.popLast() {
            switch source {
            case .names(var names):
                guard let name = names.popFirst() else { continue }
                stack.append(.names(names))
                // Only the command line's own words, the lowest source, can be patterns or stand for a list.
                if let found = stack.count == 1 ? argument(name) : named(name) { return found }
            case .folder(var walk):
                guard let found = walk.next() else { continue }
                stack.append(.folder(walk))
                return found
            case .list(let list):
                guard let item = list.next() else { continue }
                stack.append(source)
                switch item {
                case .path(let path): if let found = named(path) { return found }
                case .problem(let path, let reason): return .problem(path: path, reason: reason)
                }
            }
        }
        return nil
    }

    private mutating func argument(_ word: String) -> ListedPath? {
        if word == "-" {
            if let list = makeList() { stack.append(.list(list)) }
            return nil
        }
        guard isGlob(word), case (_, .unreachable) = locate(word) else { return named(word) }
        var matches = expandGlob(word)
        if matches.isEmpty, !word.hasPrefix("/") { matches = expandGlob(escapedForGlob(root.path) + "/" + word) }
        if matches.isEmpty { return .problem(path: word, reason: "no file matches the pattern") }
        stack.append(.names(matches[...]))
        return nil
    }

    private mutating func named(_ path: String) -> ListedPath? {
        let (located, kind) = locate(path)
        switch kind {
        case .unreachable(let code): return .problem(path: path, reason: errorText(code))
        case .special: return .problem(path: path, reason: "neither a file nor a folder")
        case .file, .directory:
            guard let relative = root.relativePath(of: located, isDirectory: kind == .directory) else {
                return .problem(path: path, reason: "outside of the storage folder \(root.path)")
            }
            if kind == .file { return .image(relative) }
            stack.append(.folder(DirectoryWalk(relative, root: root, filter: filter)))
            return nil
        }
    }

    private func locate(_ path: String) -> (String, FileKind) {
        let kind = FileKind(path: path)
        guard case .unreachable = kind, !path.hasPrefix("/"), !path.isEmpty else { return (path, kind) }
        let inStorage = root.path + "/" + path
        let kindInStorage = FileKind(path: inStorage)
        if case .unreachable = kindInStorage { return (path, kind) }
        return (inStorage, kindInStorage)
    }
}
