import CLinux

/// One request as a journal names it. The timestamp tells it from a record of a topic that was deleted and made anew.
struct JournalEntry: Sendable, Hashable, Codable {
    var topic: String
    var partition: Int32
    var offset: Int64
    var timestamp: Int64
}

/// How a journal lies in its file: a header of 64 bytes, then slots of 320 bytes, numbers in the machine's own order. A slot holds
/// the request that one place of one pool thread is at.
///
/// | at | header | | at | slot |
/// |---|---|---|---|---|
/// | 0 | `KAPTJRNL` | | 0 | state: 0 free, 1 running, 2 hung |
/// | 8 | version, 1 | | 8 | checksum of what follows, up to the topic's end |
/// | 12 | number of slots | | 16 | offset |
/// | 16 | how the process ended | | 24 | timestamp |
/// | | | | 32 | partition |
/// | | | | 36 | bytes of the topic's name |
/// | | | | 40 | topic |
enum JournalFormat {
    static let magic = Array("KAPTJRNL".utf8)
    static let version: UInt32 = 1
    static let headerBytes = 64
    static let endOffset = 16
    static let slotBytes = 320
    static let maximumTopicBytes = 249
    static let maximumSlots = 1 << 16

    /// How a process that left a journal behind came to its end.
    enum End: UInt32, Sendable {
        /// From outside, or the machine's: nobody was left to write anything.
        case killed = 0
        /// A signal that the process itself caused.
        case crashed = 1
        /// A pool thread hung, and the worker gave itself up.
        case hung = 2
    }

    enum SlotState: UInt32, Sendable { case free, running, hung }

    static func fileBytes(slots: Int) -> Int { headerBytes + slots * slotBytes }

    /// Writes a request into a free slot. Its state is left alone.
    static func write(_ entry: JournalEntry, to slot: UnsafeMutableRawBufferPointer) {
        let topic = entry.topic.utf8.prefix(maximumTopicBytes)
        slot.storeBytes(of: entry.offset, toByteOffset: 16, as: Int64.self)
        slot.storeBytes(of: entry.timestamp, toByteOffset: 24, as: Int64.self)
        slot.storeBytes(of: entry.partition, toByteOffset: 32, as: Int32.self)
        slot.storeBytes(of: UInt32(topic.count), toByteOffset: 36, as: UInt32.self)
        UnsafeMutableRawBufferPointer(rebasing: slot[40...]).copyBytes(from: topic)
        slot.storeBytes(
            of: checksum(UnsafeRawBufferPointer(rebasing: slot[16..<(40 + topic.count)])), toByteOffset: 8,
            as: UInt64.self)
    }

    /// FNV-1a, 64 bits (Fowler, Noll and Vo).
    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}

/// A journal that a process left behind, as far as it can be made out. Its bytes may be anything.
struct JournalContents: Sendable, Equatable {
    let end: JournalFormat.End
    /// What was on the pool's threads.
    var running: Set<JournalEntry> = []
    /// What a thread hung in.
    var hung: Set<JournalEntry> = []

    /// Nil if the bytes are no journal. Slots that make no sense are passed over.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= JournalFormat.headerBytes, bytes.prefix(8).elementsEqual(JournalFormat.magic),
            bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self) == JournalFormat.version,
            let end = JournalFormat.End(
                rawValue: bytes.loadUnaligned(fromByteOffset: JournalFormat.endOffset, as: UInt32.self))
        else { return nil }
        let slots = Int(bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
        guard slots <= JournalFormat.maximumSlots, bytes.count == JournalFormat.fileBytes(slots: slots) else {
            return nil
        }
        self.end = end
        for number in 0..<slots {
            let start = JournalFormat.headerBytes + number * JournalFormat.slotBytes
            let slot = UnsafeRawBufferPointer(rebasing: bytes[start..<(start + JournalFormat.slotBytes)])
            guard let (state, entry) = Self.read(slot) else { continue }
            if state == .hung { hung.insert(entry) }
            running.insert(entry)
        }
    }

    private static func read(_ slot: UnsafeRawBufferPointer) -> (JournalFormat.SlotState, JournalEntry)? {
        let state = JournalFormat.SlotState(rawValue: slot.loadUnaligned(as: UInt32.self))
        let topicBytes = Int(slot.loadUnaligned(fromByteOffset: 36, as: UInt32.self))
        guard let state, state != .free, (1...JournalFormat.maximumTopicBytes).contains(topicBytes) else { return nil }
        let content = UnsafeRawBufferPointer(rebasing: slot[16..<(40 + topicBytes)])
        guard slot.loadUnaligned(fromByteOffset: 8, as: UInt64.self) == JournalFormat.checksum(content),
            let topic = String(validating: content[24...], as: UTF8.self)
        else { return nil }
        let entry = JournalEntry(
            topic: topic, partition: slot.loadUnaligned(fromByteOffset: 32, as: Int32.self),
            offset: slot.loadUnaligned(fromByteOffset: 16, as: Int64.self),
            timestamp: slot.loadUnaligned(fromByteOffset: 24, as: Int64.self))
        return entry.partition >= 0 && entry.offset >= 0 ? (state, entry) : nil
    }
}
