import Foundation
import Telemetry
import TestSupport
import Testing

@testable import Consumer

@Suite("Whether the storage is still the one of the start")
struct StorageTests {
    private let directory: TemporaryDirectory
    private let readiness = Readiness(logger: Logger(label: "test", form: "text", level: "critical"))
    private var path: String { directory.url.appendingPathComponent("photos").path }

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write("photos/a.jpg", Data("picture".utf8))
        try directory.write("photos/.sentinel", Data("storage 7".utf8))
    }

    private func storage(sentinel: String? = nil) throws -> Storage {
        try Storage(path: path, sentinel: sentinel, readiness: readiness)
    }

    private func move(_ name: String, to other: String) throws {
        try FileManager.default.moveItem(
            at: directory.url.appendingPathComponent(name), to: directory.url.appendingPathComponent(other))
    }

    private func remove(_ name: String) throws {
        try FileManager.default.removeItem(at: directory.url.appendingPathComponent(name))
    }

    @Test("an unchanged directory is the same, and so is one that is written to, made read-only or renamed and back")
    func same() throws {
        let storage = try storage()
        #expect(storage.check() != nil)
        try directory.write("photos/b.jpg", Data("another".utf8))
        #expect(storage.check() != nil)
        #expect(chmod(path, 0o555) == 0)
        #expect(storage.check() != nil)
        #expect(chmod(path, 0o755) == 0)
        try move("photos", to: "hidden")
        #expect(storage.check() == nil)
        #expect(!readiness.holds(.storage))
        try move("hidden", to: "photos")
        #expect(storage.check() != nil)
        #expect(readiness.holds(.storage))
    }

    @Test("an empty directory in its place is not the storage, whose open root goes on to serve images")
    func hidden() throws {
        let storage = try storage()
        try move("photos", to: "hidden")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        #expect(storage.check() == nil)
        #expect(!storage.isAvailable)
        #expect(try storage.root.open("a.jpg", limit: 100).byteCount == 7)
    }

    @Test("with a sentinel another directory that has it is the storage, and images are read from there")
    func sentinel() throws {
        let storage = try storage(sentinel: ".sentinel")
        try move("photos", to: "hidden")
        try directory.write("photos/new.jpg", Data("new".utf8))
        #expect(storage.check() == nil)
        try directory.write("photos/.sentinel", Data("storage 8".utf8))
        #expect(storage.check() == nil, "another storage's sentinel")
        try directory.write("photos/.sentinel", Data("storage 7".utf8))
        #expect(storage.check() != nil)
        #expect(readiness.holds(.storage))
        #expect(try storage.root.open("new.jpg", limit: 100).byteCount == 3)
    }

    @Test("a sentinel that goes takes the storage with it, although the directory is the same")
    func lostSentinel() throws {
        let storage = try storage(sentinel: ".sentinel")
        try remove("photos/.sentinel")
        #expect(storage.check() == nil)
        #expect(readiness.unmet.first { $0.condition == .storage }?.reason.contains(".sentinel") == true)
    }

    @Test("an image that was read before and is gone says nothing about the storage")
    func witness() throws {
        let storage = try storage()
        storage.noteRead(of: "a.jpg")
        #expect(storage.check() != nil)
        try remove("photos/a.jpg")
        #expect(storage.check() != nil)
        try directory.write("photos/a.jpg/folder", Data())
        #expect(storage.check() != nil)
    }

    @Test("at the start a sentinel must be there, small, and beneath the root")
    func start() throws {
        for sentinel in ["missing", "../photos/a.jpg", "/etc/passwd"] {
            #expect(throws: StorageUnavailable.self) { try self.storage(sentinel: sentinel) }
        }
        try directory.write("photos/large", Data(count: 4097))
        #expect(throws: StorageUnavailable.self) { try self.storage(sentinel: "large") }
    }

    @Test("a check that does not return says nothing against a later one that did")
    func overlap() throws {
        let storage = try storage()
        let (hanging, later) = (storage.beginCheck(), storage.beginCheck())
        #expect(storage.complete(check: later) != nil)
        storage.fallSilent(check: hanging)
        #expect(storage.isAvailable && readiness.holds(.storage))
        storage.fallSilent(check: later)
        #expect(!storage.isAvailable)
        // The earlier one comes back at last: what the later one said still counts.
        #expect(storage.complete(check: hanging) != nil)
        #expect(!storage.isAvailable)
        #expect(storage.complete(check: later) != nil)
        #expect(storage.isAvailable && readiness.holds(.storage))
    }

    @Test("a check that does not return, and too many hung reads, make it unavailable until that has passed")
    func silence() throws {
        let storage = try storage()
        storage.fallSilent(check: storage.beginCheck())
        #expect(!storage.isAvailable)
        #expect(storage.check() != nil)
        #expect(storage.isAvailable)
        storage.exhausted(true)
        #expect(storage.check() != nil)
        #expect(!storage.isAvailable)
        #expect(!readiness.holds(.storage))
        storage.exhausted(false)
        #expect(readiness.holds(.storage))
    }
}

extension Storage {
    fileprivate func check() -> StorageRoot? { complete(check: beginCheck()) }
}
