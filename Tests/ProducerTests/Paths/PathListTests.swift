import Foundation
import TestSupport
import Testing

@testable import Producer

struct PathListTests {
    /// Reads a list that comes through a pipe in pieces.
    private func items(_ pieces: [[UInt8]], endsWithNUL: Bool = false) throws -> [PathList.Item] {
        let pipe = Pipe()
        let writer = pipe.fileHandleForWriting
        let thread = Thread {
            for piece in pieces { writer.write(Data(piece)) }
            try? writer.close()
        }
        thread.start()
        let list = PathList(
            descriptor: pipe.fileHandleForReading.fileDescriptor, endsWithNUL: endsWithNUL,
            interruption: try Interruption())
        var items: [PathList.Item] = []
        while let item = list.next() { items.append(item) }
        return items
    }

    @Test func readsLines() throws {
        let found = try items([Array("a.jpg\nb c.jpg\r\n\n".utf8), Array("d".utf8), Array(".jpg\nlast.jpg".utf8)])
        #expect(found == [.path("a.jpg"), .path("b c.jpg"), .path("d.jpg"), .path("last.jpg")])
    }

    @Test func readsNULs() throws {
        let found = try items([Array("a\nb.jpg\0c\r\0".utf8)], endsWithNUL: true)
        #expect(found == [.path("a\nb.jpg"), .path("c\r")])
    }

    @Test func manyLinesComeWhole() throws {
        let lines = (0..<20_000).map { "folder/\($0)/" + String(repeating: "x", count: $0 % 50) + ".jpg" }
        let found = try items([Array((lines.joined(separator: "\n") + "\n").utf8)])
        #expect(found == lines.map { .path($0) })
    }

    @Test func strangeLinesAreProblems() throws {
        let long = [UInt8](repeating: 0x61, count: 1_000_000)
        let found = try items([[0x61, 0xff, 0x0a], [0x61, 0, 0x62, 0x0a], long, Array("\nok.jpg\n".utf8)])
        #expect(found.count == 4)
        #expect(found[0] == .problem("a\u{fffd}", reason: "the path is not UTF-8 or holds a NUL"))
        #expect(found[1] == .problem("a\0b", reason: "the path is not UTF-8 or holds a NUL"))
        #expect(found[2] == .problem(String(repeating: "a", count: 60) + "…", reason: "the path is too long"))
        #expect(found[3] == .path("ok.jpg"))
    }

    /// Reading a folder as a list fails: it must not pass for the end of one.
    @Test func aReadErrorIsAProblem() throws {
        let folder = open("/", O_RDONLY)
        defer { close(folder) }
        let list = PathList(descriptor: folder, endsWithNUL: false, interruption: try Interruption())
        guard case .problem("-", let reason) = list.next() else {
            Issue.record("no problem")
            return
        }
        #expect(reason.contains("directory"))
        #expect(list.next() == nil)
    }

    @Test func anInterruptionEndsTheWait() throws {
        let pipe = Pipe()
        let interruption = try Interruption()
        let list = PathList(
            descriptor: pipe.fileHandleForReading.fileDescriptor, endsWithNUL: false, interruption: interruption)
        pipe.fileHandleForWriting.write(Data("a.jpg\n".utf8))
        #expect(list.next() == .path("a.jpg"))
        DispatchQueue.global().async { interruption.raise(.signal(SIGINT)) }
        #expect(list.next() == nil)
        #expect(!interruption.wait(.seconds(60)))
        #expect(!interruption.raise(.signal(SIGTERM)))
        #expect(interruption.cause == .signal(SIGINT))
    }
}
