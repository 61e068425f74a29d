import Foundation
import Messaging
import Telemetry
import TestSupport
import Testing

@testable import Consumer

@Suite("What workers leave behind at an unclean end") struct CrashJournalTests {
    private let directory: TemporaryDirectory
    private let logger = Logger(label: "test", form: "text", level: "critical")

    init() throws { directory = try TemporaryDirectory() }

    private func message(_ offset: Int64, timestamp: Int64 = 1000) -> KafkaMessage {
        KafkaMessage(topic: "requests", partition: 0, offset: offset, timestamp: timestamp)
    }

    private func journal() throws -> CrashJournal {
        try CrashJournal(directory: directory.url.path, slots: 2, logger: logger)
    }

    /// A worker that ends while these offsets are on its threads.
    private func leave(_ offsets: [Int64], as end: JournalFormat.End) throws {
        let file = try JournalFile(directory: directory.url.path, slots: 2)
        for (slot, offset) in offsets.enumerated() {
            file.begin(JournalEntry(message(offset)), slot: slot)
            if end == .hung, slot == 0 { file.markHung(slot: slot) }
        }
        if end == .hung { file.markEndByHang() }
        guard end == .crashed else { return }
        let url = directory.url.appendingPathComponent(file.name)
        var bytes = try Data(contentsOf: url)
        bytes[JournalFormat.endOffset] = UInt8(end.rawValue)
        let handle = try FileHandle(forWritingTo: url)
        try handle.write(contentsOf: bytes)
    }

    private func verdict(_ journal: CrashJournal, _ offset: Int64, timestamp: Int64 = 1000) -> String {
        switch journal.suspicion(of: message(offset, timestamp: timestamp)) {
        case nil: "trusted"
        case .runsAlone: "alone"
        case .condemned(let failure): failure.code.rawValue
        }
    }

    private var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: directory.url.path).sorted() }
    }

    @Test("a crash makes all that ran suspect; the second condemns what ran then, and only that")
    func crashes() throws {
        try leave([5, 6], as: .crashed)
        let second = try journal()
        #expect(verdict(second, 5) == "alone")
        #expect(verdict(second, 6) == "alone")
        #expect(verdict(second, 7) == "trusted")
        #expect(verdict(second, 5, timestamp: 1001) == "trusted", "a record of a topic made anew")
        try leave([6], as: .crashed)
        second.refresh(committed: [])
        #expect(verdict(second, 5) == "alone")
        #expect(verdict(second, 6) == "worker_crashed")
        #expect(verdict(try journal(), 6) == "worker_crashed")
    }

    @Test("a thread that hung names its request; the second time it is image_timeout")
    func hangs() throws {
        try leave([5, 6], as: .hung)
        let journal = try journal()
        #expect(verdict(journal, 5) == "alone")
        #expect(verdict(journal, 6) == "trusted")
        try leave([5], as: .hung)
        journal.refresh(committed: [])
        #expect(verdict(journal, 5) == "image_timeout")
    }

    @Test("an end from outside condemns only the fifth time")
    func kills() throws {
        let journal = try journal()
        for _ in 0..<4 {
            try leave([5], as: .killed)
            journal.refresh(committed: [])
            #expect(verdict(journal, 5) == "alone")
        }
        try leave([5], as: .killed)
        journal.refresh(committed: [])
        #expect(verdict(journal, 5) == "worker_crashed")
    }

    @Test("a journal of a living worker is left alone; those of the dead are merged once and removed")
    func files() throws {
        let living = try journal()
        living.begin(message(1), slot: 0)
        try leave([2, 3], as: .crashed)
        #expect(try names.count { $0.hasSuffix(".journal") } == 2)
        let other = try journal()
        #expect(verdict(other, 1) == "trusted")
        #expect(verdict(other, 2) == "alone")
        #expect(try names.count { $0.hasSuffix(".journal") } == 2)
        living.close()
        other.close()
        #expect(try names == ["lock", "suspects.json"])
        #expect(verdict(try journal(), 2) == "alone", "merged a second time it would be condemned")
    }

    @Test("what has been committed is forgotten, at assignment and while the worker runs")
    func committed() throws {
        try leave([5, 6], as: .crashed)
        let journal = try journal()
        let partition = TopicPartition(topic: "requests", partition: 0)
        journal.refresh(committed: [TopicPartitionOffset(partition, offset: 6)])
        #expect(verdict(journal, 5) == "trusted")
        #expect(verdict(journal, 6) == "alone")
        journal.tidy { $0 == partition ? 6 : nil }
        #expect(verdict(journal, 6) == "alone")
        journal.tidy { $0 == partition ? 7 : nil }
        #expect(verdict(journal, 6) == "trusted")
        #expect(verdict(try self.journal(), 6) == "trusted")
    }

    @Test("hostile files are passed over")
    func hostile() throws {
        try leave([5], as: .crashed)
        try directory.write("worker-1-1.journal", Data("no journal".utf8))
        try directory.write("worker-1-2.journal", Data())
        try directory.write("worker-1-3.journal/folder", Data())
        #expect(mkfifo(directory.url.appendingPathComponent("worker-1-4.journal").path, 0o600) == 0)
        try FileManager.default.createSymbolicLink(
            atPath: directory.url.appendingPathComponent("worker-1-5.journal").path, withDestinationPath: "/etc/passwd")
        let huge = try directory.write("worker-1-6.journal", Data())
        #expect(truncate(huge.path, 1 << 40) == 0)
        let journal = try journal()
        #expect(verdict(journal, 5) == "alone")
        for list in ["", "[]", "{", #"{"suspects":[{"entry":{}}],"merged":[]}"#] {
            try directory.write("suspects.json", Data(list.utf8))
            journal.refresh(committed: [])
            #expect(verdict(journal, 5) == "trusted")
        }
    }

    @Test("after a hang the journal stays for whoever starts next; otherwise it goes with its worker")
    func close() throws {
        let clean = try journal()
        clean.begin(message(1), slot: 0)
        clean.close()
        #expect(verdict(try journal(), 1) == "trusted")
        var hung: CrashJournal? = try journal()
        hung?.begin(message(2), slot: 0)
        hung?.begin(message(3), slot: 1)
        hung?.condemn(slots: [1])
        hung?.close()
        hung = nil
        let next = try journal()
        #expect(verdict(next, 2) == "trusted")
        #expect(verdict(next, 3) == "alone")
    }

    @Test("the list of suspects is bounded")
    func bound() {
        var list = SuspectList()
        for offset in 0..<Int64(SuspectList.maximumCount + 100) {
            var bytes = [UInt8](repeating: 0, count: JournalFormat.fileBytes(slots: 1))
            bytes.withUnsafeMutableBytes { buffer in
                buffer.copyBytes(from: JournalFormat.magic)
                buffer.storeBytes(of: JournalFormat.version, toByteOffset: 8, as: UInt32.self)
                buffer.storeBytes(of: 1, toByteOffset: 12, as: UInt32.self)
                let slot = UnsafeMutableRawBufferPointer(rebasing: buffer[JournalFormat.headerBytes...])
                JournalFormat.write(JournalEntry(message(offset)), to: slot)
                slot.storeBytes(of: 1, as: UInt32.self)
            }
            if let journal = bytes.withUnsafeBytes({ JournalContents($0) }) {
                list.merge(journal, named: "\(offset)", at: offset)
            }
        }
        list.prune(at: 10_000) { _ in nil }
        #expect(list.suspects.count == SuspectList.maximumCount)
        #expect(!list.suspects.contains { $0.entry.offset < 100 })
        list.prune(at: 8 * 86_400_000) { _ in nil }
        #expect(list.suspects.isEmpty)
    }
}
