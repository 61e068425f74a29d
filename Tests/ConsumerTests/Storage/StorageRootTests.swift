import Foundation
import TestSupport
import Testing

@testable import Consumer

@Suite("Image paths are held beneath the storage root")
struct StorageRootTests {
    private let directory: TemporaryDirectory
    private let root: StorageRoot

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write("outside/secret.jpg", Data("secret".utf8))
        try directory.write("root/a.jpg", Data("picture".utf8))
        try directory.write("root/sub/b.jpg", Data("second".utf8))
        try directory.write("root/empty.jpg", Data())
        root = try StorageRoot(path: directory.url.appendingPathComponent("root").path)
    }

    private func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: directory.url.appendingPathComponent("root/\(name)").path, withDestinationPath: target)
    }

    private func contents(_ path: String) throws -> String {
        text(try root.open(path, limit: 1000).read())
    }

    private func text(_ bytes: ImageBytes) -> String {
        withExtendedLifetime(bytes) { String(decoding: bytes.buffer, as: UTF8.self) }
    }

    private func refusal(_ path: String, limit: Int = 1000) -> ImageAccessError.Kind? {
        do throws(ImageAccessError) {
            _ = try root.open(path, limit: limit)
            return nil
        } catch {
            #expect(!error.message.contains(directory.url.path))
            return error.kind
        }
    }

    @Test("regular files are read, through links and `..` that stay inside too")
    func inside() throws {
        try link("inner", to: "sub/b.jpg")
        try link("folder", to: "sub")
        #expect(try contents("a.jpg") == "picture")
        #expect(try contents("./sub//b.jpg") == "second")
        #expect(try contents("sub/../a.jpg") == "picture")
        #expect(try contents("inner") == "second")
        #expect(try contents("folder/b.jpg") == "second")
        #expect(try contents("empty.jpg") == "")
    }

    @Test(
        "what leaves the root or is no regular file is refused",
        arguments: [
            "", "/etc/passwd", "../outside/secret.jpg", "../../etc/passwd", "sub/../../outside/secret.jpg", "..", ".",
            "sub", "sub/", "a\0.jpg", "\0", "out", "out/secret.jpg", "absolute", "loop", "pipe", "self",
        ])
    func rejected(path: String) throws {
        try link("out", to: "../outside")
        try link("absolute", to: directory.url.appendingPathComponent("root/a.jpg").path)
        try link("loop", to: "loop")
        try link("self", to: "/proc/self/exe")
        #expect(mkfifo(directory.url.appendingPathComponent("root/pipe").path, 0o600) == 0)
        #expect(refusal(path) == .rejected)
    }

    @Test("paths beyond the system's limits are refused")
    func tooLong() {
        #expect(refusal(String(repeating: "a", count: 300)) == .rejected)
        #expect(refusal(String(repeating: "a/", count: 30_000)) == .rejected)
    }

    @Test("a missing file, and a file as a folder, are not found")
    func notFound() {
        #expect(refusal("missing.jpg") == .notFound)
        #expect(refusal("missing/a.jpg") == .notFound)
        #expect(refusal("a.jpg/b.jpg") == .notFound)
    }

    @Test("the size is checked before reading, and a file of terabytes costs nothing")
    func size() throws {
        #expect(refusal("a.jpg", limit: 7) == nil)
        #expect(refusal("a.jpg", limit: 6) == .tooLarge)
        let huge = try directory.write("root/huge.jpg", Data())
        #expect(truncate(huge.path, 1 << 42) == 0)
        #expect(refusal("huge.jpg", limit: 32 << 20) == .tooLarge)
    }

    @Test("a file cut short after opening gives what is left")
    func shrunk() throws {
        let file = directory.url.appendingPathComponent("root/a.jpg")
        let opened = try root.open("a.jpg", limit: 1000)
        #expect(truncate(file.path, 3) == 0)
        #expect(text(try opened.read()) == "pic")
    }

    @Test("a root that is missing or no directory is named in the error")
    func badRoot() throws {
        for name in ["nowhere", "root/a.jpg"] {
            let path = directory.url.appendingPathComponent(name).path
            #expect {
                _ = try StorageRoot(path: path)
            } throws: { "\($0)".contains(path) }
        }
    }
}
