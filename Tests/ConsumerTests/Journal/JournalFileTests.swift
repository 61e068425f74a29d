import Foundation
import TestSupport
import Testing

@testable import Consumer

@Suite("The journal's file, and what is read of one") struct JournalFileTests {
    private let directory: TemporaryDirectory
    private let entries = [
        JournalEntry(topic: "captions.requests", partition: 3, offset: 42, timestamp: 1_700_000_000_000),
        JournalEntry(topic: String(repeating: "t", count: 249), partition: 0, offset: 0, timestamp: -1),
        JournalEntry(topic: "ä", partition: .max, offset: .max, timestamp: .max),
    ]

    init() throws { directory = try TemporaryDirectory() }

    private func bytes(of file: JournalFile) throws -> [UInt8] {
        Array(try Data(contentsOf: directory.url.appendingPathComponent(file.name)))
    }

    private func contents(_ bytes: [UInt8]) -> JournalContents? { bytes.withUnsafeBytes { JournalContents($0) } }

    @Test("what has begun and not ended is read back, and how the process ended")
    func roundTrip() throws {
        let file = try JournalFile(directory: directory.url.path, slots: 4)
        #expect(contents(try bytes(of: file))?.running == [])
        for (slot, entry) in entries.enumerated() { file.begin(entry, slot: slot) }
        file.end(slot: 1)
        file.markHung(slot: 2)
        let killed = try #require(contents(try bytes(of: file)))
        #expect(killed.end == .killed)
        #expect(killed.running == [entries[0], entries[2]])
        #expect(killed.hung == [entries[2]])
        file.begin(entries[1], slot: 0)
        file.markEndByHang()
        #expect(contents(try bytes(of: file))?.end == .hung)
        #expect(contents(try bytes(of: file))?.running == [entries[1], entries[2]])
        file.remove()
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.url.path).isEmpty)
    }

    @Test("it is locked for as long as its process has it")
    func lock() throws {
        var file: JournalFile? = try JournalFile(directory: directory.url.path, slots: 1)
        let path = directory.url.appendingPathComponent(try #require(file).name).path
        let other = open(path, O_RDWR)
        defer { close(other) }
        #expect(flock(other, LOCK_EX | LOCK_NB) == -1)
        file = nil
        #expect(flock(other, LOCK_EX | LOCK_NB) == 0)
    }

    @Test("damage in a slot loses that slot; a wrong header or size loses the file; nothing ends the process")
    func damage() throws {
        let file = try JournalFile(directory: directory.url.path, slots: 3)
        for (slot, entry) in entries.enumerated() { file.begin(entry, slot: slot) }
        let whole = try bytes(of: file)
        for offset in [0, 8, 12, 16] {
            var bytes = whole
            bytes[offset] ^= 0x55
            #expect(contents(bytes) == nil, "header at \(offset)")
        }
        for offset in [0, 8, 16, 24, 32, 36, 40] {
            var bytes = whole
            bytes[JournalFormat.headerBytes + offset] ^= 0x55
            #expect(contents(bytes)?.running == Set(entries.dropFirst()), "slot at \(offset)")
        }
        for count in [0, 1, 63, 64, whole.count - 1] { #expect(contents(Array(whole.prefix(count))) == nil) }
        var generator = SeededGenerator(7)
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            let found = contents(bytes)?.running ?? []
            #expect(found.isSubset(of: entries), "an entry that was never written")
        }
    }

    @Test("a directory that cannot be written to is refused with its name")
    func refused() {
        let error = #expect(throws: JournalUnavailable.self) { try JournalFile(directory: "/proc/1/nowhere", slots: 1) }
        #expect(error?.description.contains("/proc/1/nowhere") == true)
    }
}
