import Foundation
import TestSupport
import Testing

@testable import Producer

struct ImagePathsTests {
    let folder: TemporaryDirectory
    let root: StorageRoot
    var storage: String { folder.url.appendingPathComponent("storage").path }

    init() throws {
        folder = try TemporaryDirectory()
        for name in [
            "storage/b.jpg", "storage/a.JPEG", "storage/c.png", "storage/notes.txt", "storage/sub/d.jpg",
            "storage/sub/deep/er/é ü.jpg", "storage/.hidden/x.jpg", "storage/._b.jpg", "storage/[1].jpg", "outside.jpg",
        ] { try folder.write(name, Data("x".utf8)) }
        root = try StorageRoot(folder.url.appendingPathComponent("storage").path)
        let files = FileManager.default
        // Loops, a way out, and a link to a file within.
        try files.createSymbolicLink(atPath: storage + "/sub/loop", withDestinationPath: "..")
        try files.createSymbolicLink(atPath: storage + "/self", withDestinationPath: "self")
        try files.createSymbolicLink(atPath: storage + "/link.jpg", withDestinationPath: "b.jpg")
        try files.createSymbolicLink(atPath: storage + "/out", withDestinationPath: "..")
        #expect(mkfifo(storage + "/pipe.jpg", 0o600) == 0)
    }

    func list(_ arguments: String..., filter: DirectoryWalk.Filter = .images) -> [ListedPath] {
        var paths = ImagePaths(arguments, root: root, filter: filter)
        var found: [ListedPath] = []
        while let path = paths.next() { found.append(path) }
        return found
    }

    static let images = ["[1].jpg", "a.JPEG", "b.jpg", "c.png", "link.jpg", "sub/d.jpg", "sub/deep/er/é ü.jpg"]

    @Test func aFolderIsSearchedInOrder() {
        #expect(list(storage) == Self.images.map { .image($0) })
        #expect(list(storage + "/sub/") == Self.images.suffix(2).map { .image($0) })
        #expect(list(storage + "/sub/../sub/deep") == [.image("sub/deep/er/é ü.jpg")])
    }

    @Test func allFilesAreThoseThatFindSees() throws {
        let found = list(storage, filter: .all)
        let find = try #require(ChildProcess.installed("find"))
        let output = String(
            decoding: try ChildProcess.run(find, [storage, "-type", "f", "-printf", "%P\\n"]), as: UTF8.self)
        let expected = output.split(separator: "\n").map { ListedPath.image(String($0)) } + [.image("link.jpg")]
        #expect(found.count == expected.count)
        for path in expected { #expect(found.contains(path)) }
    }

    @Test func aLargeFolderComesInSortedRuns() {
        var walk = DirectoryWalk("", root: root, filter: .images, runLength: 2)
        var found: [String] = []
        while case .image(let path)? = walk.next() { found.append(path) }
        #expect(found.sorted() == Self.images.sorted())
    }

    @Test func aNamedFileIsTakenWhateverItsName() {
        #expect(list(storage + "/notes.txt", storage + "/link.jpg") == [.image("notes.txt"), .image("link.jpg")])
    }

    @Test func relativePathsAreLookedForInTheStorageToo() {
        #expect(
            list("sub/d.jpg", "sub/deep", "[1].jpg") == [
                .image("sub/d.jpg"), .image("sub/deep/er/é ü.jpg"), .image("[1].jpg"),
            ])
    }

    @Test func patternsAreExpanded() {
        #expect(
            list(storage + "/*.jpg") == [
                .image("[1].jpg"), .image("b.jpg"), .image("link.jpg"),
                .problem(
                    path: storage + "/pipe.jpg", reason: "neither a file nor a folder"),
            ])
        #expect(list("sub/?.jpg", "su[b]/deep") == [.image("sub/d.jpg"), .image("sub/deep/er/é ü.jpg")])
        #expect(list("*.gif") == [.problem(path: "*.gif", reason: "no file matches the pattern")])
    }

    @Test func whatCannotBeEnqueuedIsNamed() {
        let outside = folder.url.appendingPathComponent("outside.jpg").path
        let reason = "outside of the storage folder \(root.path)"
        #expect(list(outside) == [.problem(path: outside, reason: reason)])
        #expect(list(storage + "/out/outside.jpg") == [.problem(path: storage + "/out/outside.jpg", reason: reason)])
        #expect(list("../outside.jpg") == [.problem(path: "../outside.jpg", reason: reason)])
        #expect(
            list("none.jpg", "") == [
                .problem(path: "none.jpg", reason: "no such file or directory"),
                .problem(path: "", reason: "no such file or directory"),
            ])
        #expect(
            list(storage + "/self") == [
                .problem(path: storage + "/self", reason: "too many levels of symbolic links")
            ])
    }

    @Test func aNameThatIsNotUTF8IsAProblem() throws {
        let bytes: [UInt8] = Array((storage + "/sub/x").utf8) + [0xff] + Array(".jpg\0".utf8)
        let descriptor = bytes.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { open($0.baseAddress!, O_CREAT | O_WRONLY, 0o600) }
        }
        try #require(descriptor >= 0)
        close(descriptor)
        let found = list(storage + "/sub")
        #expect(found.count == 3)
        #expect(
            found.contains(
                .problem(
                    path: "sub/x\u{fffd}.jpg", reason: "the name is not UTF-8, a request cannot hold it")))
    }

    @Test func theRootMustBeAFolder() {
        #expect(throws: (any Error).self) { try StorageRoot("/nowhere") }
        #expect(throws: (any Error).self) { try StorageRoot(storage + "/b.jpg") }
        #expect((try? StorageRoot("/"))?.relativePath(of: "/etc/hostname", isDirectory: false) == "etc/hostname")
    }
}
