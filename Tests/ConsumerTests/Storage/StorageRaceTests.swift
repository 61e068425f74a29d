import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Consumer

/// One thread renames without end while others open: whatever the moment, nothing from outside the root is read.
@Suite("A racing rename never leads out of the storage root", .serialized)
struct StorageRaceTests {
    private let directory: TemporaryDirectory
    private let root: StorageRoot

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write("root/a.jpg", Data("inside".utf8))
        try directory.write("root/folder/a.jpg", Data("inside".utf8))
        try directory.write("root/folder/deep/a.jpg", Data("inside".utf8))
        try directory.write("outside/a.jpg", Data("secret".utf8))
        try directory.write("outside/deep/a.jpg", Data("secret".utf8))
        try directory.write("outside/folder/deep/a.jpg", Data("secret".utf8))
        try FileManager.default.createSymbolicLink(
            atPath: directory.url.appendingPathComponent("root/link").path, withDestinationPath: "../outside")
        root = try StorageRoot(path: directory.url.appendingPathComponent("root").path)
    }

    @Test("a folder and a link to the outside change places")
    func exchange() throws {
        let outcomes = try race(
            renaming: ("root/folder", "root/link"),
            opening: [
                "folder/a.jpg", "link/a.jpg", "folder/deep/a.jpg", "folder/deep/../a.jpg", "link/../folder/a.jpg",
                "folder/deep/../../a.jpg", "folder/../link/deep/../a.jpg",
            ])
        #expect(outcomes.opened > 0)
        #expect(outcomes.rejected > 0)
    }

    @Test("a folder inside and one outside change places under a path that climbs by `..`")
    func climbing() throws {
        let outcomes = try race(
            renaming: ("root/folder", "outside/folder"),
            opening: [
                "folder/deep/../../a.jpg", "folder/deep/../deep/../../a.jpg", "folder/../a.jpg",
                "folder/deep/../../folder/deep/../../a.jpg",
            ])
        #expect(outcomes.opened > 0)
    }

    private struct Outcomes {
        var opened = 0
        var rejected = 0
        var notFound = 0
        /// The kernel's EAGAIN, given up after many attempts: transient, and tried again by the worker.
        var unreadable = 0
        var wrong: [String] = []

        var count: Int { opened + rejected + notFound + unreadable }
    }

    /// Renames at least 20,000 times, and until each opener has had 20,000 turns.
    private func race(renaming pair: (String, String), opening paths: [String]) throws -> Outcomes {
        let isOver = Atomic(false)
        let outcomes = Mutex(Outcomes())
        let openers = 2
        let ended = DispatchGroup()
        for opener in 0..<openers {
            ended.enter()
            Thread {
                var own = Outcomes()
                for turn in 0..<20_000 { open(paths[(turn + opener) % paths.count], &own) }
                outcomes.withLock {
                    $0.opened += own.opened
                    $0.rejected += own.rejected
                    $0.notFound += own.notFound
                    $0.unreadable += own.unreadable
                    $0.wrong += own.wrong
                }
                ended.leave()
            }.start()
        }
        ended.notify(queue: .global()) { isOver.store(true, ordering: .relaxed) }
        let (a, b) = (
            directory.url.appendingPathComponent(pair.0).path, directory.url.appendingPathComponent(pair.1).path
        )
        var renames = 0
        while renames < 20_000 || !isOver.load(ordering: .relaxed) {
            try #require(try exchange(a, b) == 0, "\(String(cString: strerror(errno)))")
            renames += 1
        }
        let all = outcomes.withLock { $0 }
        #expect(all.count == openers * 20_000)
        #expect(all.wrong.isEmpty, "\(all.wrong.prefix(5))")
        return all
    }

    /// Linux's `renameat2` with RENAME_EXCHANGE, which glibc's headers show to GNU sources only.
    private func exchange(_ a: String, _ b: String) throws -> CInt {
        typealias Function =
            @convention(c) (CInt, UnsafePointer<CChar>, CInt, UnsafePointer<CChar>, CUnsignedInt) -> CInt
        let function = unsafeBitCast(try #require(dlsym(nil, "renameat2")), to: Function.self)
        return function(AT_FDCWD, a, AT_FDCWD, b, 2)
    }

    private func open(_ path: String, _ outcomes: inout Outcomes) {
        do throws(ImageAccessError) {
            let bytes = try root.open(path, limit: 1000).read()
            let text = withExtendedLifetime(bytes) { String(decoding: bytes.buffer, as: UTF8.self) }
            outcomes.opened += 1
            if text != "inside" { outcomes.wrong.append("\(path): \(text)") }
        } catch {
            switch error.kind {
            case .rejected: outcomes.rejected += 1
            case .notFound: outcomes.notFound += 1
            case .unreadable: outcomes.unreadable += 1
            case .tooLarge: outcomes.wrong.append("\(path): \(error)")
            }
        }
    }
}
