/// Writes JSON (RFC 8259) into a byte buffer, in the order given: strings with the escapes that must be, numbers that read
/// back as the same value. It trusts its caller with the nesting.
struct JSONWriter: ~Copyable {
    private var text: ByteBuffer
    private var needsComma = false

    init(reservingCapacity capacity: Int = 512) { text = ByteBuffer(reservingCapacity: capacity) }

    /// What was written so far.
    var bytes: [UInt8] { text.array }

    mutating func beginObject() { open(UInt8(ascii: "{")) }
    mutating func endObject() { close(UInt8(ascii: "}")) }
    mutating func beginArray() { open(UInt8(ascii: "[")) }
    mutating func endArray() { close(UInt8(ascii: "]")) }

    /// The name of a field; its value comes next. Names are ours and need no escapes.
    mutating func name(_ name: StaticString) {
        separate()
        text.append(UInt8(ascii: "\""))
        text.append(name)
        text.append(UInt8(ascii: "\""))
        text.append(UInt8(ascii: ":"))
        needsComma = false
    }

    mutating func field(_ name: StaticString, _ value: String) {
        self.name(name)
        string(value)
    }

    mutating func field(_ name: StaticString, _ value: some BinaryInteger) {
        self.name(name)
        integer(Int64(value))
    }

    /// A field whose value is JSON already.
    mutating func field(_ name: StaticString, json: [UInt8]) {
        self.name(name)
        json.withUnsafeBufferPointer { text.append($0) }
        needsComma = true
    }

    mutating func string(_ value: String) {
        separate()
        var value = value
        text.append(UInt8(ascii: "\""))
        value.withUTF8 { utf8 in
            // Without a branch a byte, so that the compiler may compare many at once; texts with escapes are rare.
            var escapes: UInt8 = 0
            for byte in utf8 { escapes |= Self.needsEscape(byte) ? 1 : 0 }
            if escapes != 0 { append(escaping: utf8) } else { text.append(utf8) }
        }
        text.append(UInt8(ascii: "\""))
        needsComma = true
    }

    mutating func integer(_ value: Int64) {
        separate()
        text.append(decimal: value)
        needsComma = true
    }

    /// The shortest text that reads back as the same number; null for what JSON cannot express.
    mutating func number(_ value: Float) {
        separate()
        text.append(value.isFinite ? value.description : "null")
        needsComma = true
    }

    /// Milliseconds with at most three decimals.
    mutating func milliseconds(_ value: Double) {
        separate()
        let thousandths = value.isFinite ? Int64(min(max(value, 0), 1e12) * 1000 + 0.5) : 0
        text.append(decimal: thousandths / 1000)
        let fraction = thousandths % 1000
        if fraction != 0 {
            text.append(UInt8(ascii: "."))
            var scale: Int64 = 100
            var rest = fraction
            while rest != 0 {
                text.append(UInt8(ascii: "0") + UInt8(rest / scale))
                rest %= scale
                scale /= 10
            }
        }
        needsComma = true
    }

    /// A time in milliseconds since 1970, as RFC 3339 text.
    mutating func timestamp(_ milliseconds: Int64) {
        separate()
        text.append(UInt8(ascii: "\""))
        RFC3339.append(milliseconds: milliseconds, to: &text)
        text.append(UInt8(ascii: "\""))
        needsComma = true
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        text.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        text.append(bracket)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { text.append(UInt8(ascii: ",")) }
    }

    private static func needsEscape(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x22 || byte == 0x5C }

    private mutating func append(escaping utf8: UnsafeBufferPointer<UInt8>) {
        for byte in utf8 {
            if Self.needsEscape(byte) { escape(byte) } else { text.append(byte) }
        }
    }

    private mutating func escape(_ byte: UInt8) {
        text.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x22, 0x5C: text.append(byte)
        case 0x08: text.append(UInt8(ascii: "b"))
        case 0x09: text.append(UInt8(ascii: "t"))
        case 0x0A: text.append(UInt8(ascii: "n"))
        case 0x0C: text.append(UInt8(ascii: "f"))
        case 0x0D: text.append(UInt8(ascii: "r"))
        default:
            text.append("u00" as StaticString)
            for nibble in [byte >> 4, byte & 15] {
                text.append(nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10)
            }
        }
    }
}
