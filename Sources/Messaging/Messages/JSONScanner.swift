/// Why a text is not JSON, and where.
struct JSONScanError: Error, Equatable, CustomStringConvertible {
    var reason: StaticString
    var offset: Int

    var description: String { "\(reason) at byte \(offset)" }

    static func == (a: JSONScanError, b: JSONScanError) -> Bool { a.description == b.description }
}

/// Reads JSON (RFC 8259) from untrusted bytes and checks every one of them: grammar, UTF-8 (no overlong forms, no
/// surrogates), escapes (a surrogate pair must be whole), and nesting, which is counted and not recursed.
/// It gives values as ranges of bytes, so that they can be cut out as they stand.
struct JSONScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    /// Where the next byte is read.
    private(set) var offset: Int
    /// Arrays and objects at most within each other.
    private let maximumDepth: Int

    /// - Parameter bytes: must outlive the scanner.
    init(_ bytes: UnsafeBufferPointer<UInt8>, from offset: Int = 0, maximumDepth: Int) {
        self.bytes = bytes
        self.offset = offset
        self.maximumDepth = maximumDepth
    }

    var isAtEnd: Bool { offset == bytes.count }

    func failure(_ reason: StaticString) -> JSONScanError { JSONScanError(reason: reason, offset: offset) }

    /// The next byte; 0, which JSON nowhere allows, at the end.
    var next: UInt8 { offset < bytes.count ? bytes[offset] : 0 }

    mutating func skipWhiteSpace() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x09, 0x0A, 0x0D: offset += 1
            default: return
            }
        }
    }

    /// Walks over the byte if it comes next; tells whether it did.
    mutating func skip(_ byte: UInt8) -> Bool {
        guard offset < bytes.count, bytes[offset] == byte else { return false }
        offset += 1
        return true
    }

    mutating func expect(_ byte: UInt8, _ reason: StaticString) throws(JSONScanError) {
        if !skip(byte) { throw failure(reason) }
    }

    /// Walks over one value of any kind.
    ///
    /// - Parameter depth: of the container that the value is in.
    mutating func skipValue(depth: Int) throws(JSONScanError) {
        // One bit for each open container: 1 for an object.
        var kinds: [Bool] = []
        repeat {
            skipWhiteSpace()
            switch next {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                let isObject = next == UInt8(ascii: "{")
                if depth + kinds.count >= maximumDepth { throw failure("nested too deeply") }
                offset += 1
                skipWhiteSpace()
                if next == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                    offset += 1
                } else {
                    kinds.append(isObject)
                    if isObject { try skipName() }
                    continue
                }
            case UInt8(ascii: "\""): _ = try skipString()
            case UInt8(ascii: "t"): try skipWord("true")
            case UInt8(ascii: "f"): try skipWord("false")
            case UInt8(ascii: "n"): try skipWord("null")
            default: try skipNumber()
            }
            try closeContainers(&kinds)
        } while !kinds.isEmpty
    }

    /// After a value: the ends of containers, or the comma before the next value.
    private mutating func closeContainers(_ kinds: inout [Bool]) throws(JSONScanError) {
        while let isObject = kinds.last {
            skipWhiteSpace()
            if next == UInt8(ascii: ",") {
                offset += 1
                if isObject {
                    skipWhiteSpace()
                    try skipName()
                }
                return
            }
            try expect(
                isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"), "a comma or the end of an array or object is missing")
            kinds.removeLast()
        }
    }

    /// A field's name and the colon.
    private mutating func skipName() throws(JSONScanError) {
        _ = try skipString()
        skipWhiteSpace()
        try expect(UInt8(ascii: ":"), "a colon is missing")
    }

    private mutating func skipWord(_ word: StaticString) throws(JSONScanError) {
        let length = word.utf8CodeUnitCount
        guard offset + length <= bytes.count, (0..<length).allSatisfy({ bytes[offset + $0] == word.utf8Start[$0] })
        else {
            throw failure("not a JSON value")
        }
        offset += length
    }

    /// Walks over a number.
    mutating func skipNumber() throws(JSONScanError) {
        if next == UInt8(ascii: "-") { offset += 1 }
        if next == UInt8(ascii: "0") {
            offset += 1
        } else {
            try skipDigits()
        }
        if next == UInt8(ascii: ".") {
            offset += 1
            try skipDigits()
        }
        if next | 0x20 == UInt8(ascii: "e") {
            offset += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { offset += 1 }
            try skipDigits()
        }
    }

    private mutating func skipDigits() throws(JSONScanError) {
        let start = offset
        while next >= UInt8(ascii: "0"), next <= UInt8(ascii: "9") { offset += 1 }
        if offset == start { throw failure("not a JSON value") }
    }

    /// Walks over a string and its quotes; tells whether it has escapes.
    mutating func skipString() throws(JSONScanError) -> Bool {
        try expect(UInt8(ascii: "\""), "a string is missing")
        var hasEscapes = false
        while offset < bytes.count {
            let byte = bytes[offset]
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                return hasEscapes
            case UInt8(ascii: "\\"):
                hasEscapes = true
                _ = try readEscape()
            case 0..<0x20:
                throw failure("a control character within a string")
            case 0x20..<0x80:
                offset += 1
            default:
                let length = lengthOfUTF8Sequence(bytes, at: offset)
                if length == 0 { throw failure("invalid UTF-8") }
                offset += length
            }
        }
        throw failure("a string without an end")
    }

    /// Reads the escape at the next byte.
    private mutating func readEscape() throws(JSONScanError) -> Unicode.Scalar {
        offset += 1
        let byte = next
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{08}"
        case UInt8(ascii: "f"): return "\u{0C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default:
            offset = min(offset, bytes.count) - 1
            throw failure("an unknown escape")
        }
        var code = try readFourHexDigits()
        if (0xD800..<0xDC00).contains(code), offset + 1 < bytes.count, bytes[offset] == UInt8(ascii: "\\"),
            bytes[offset + 1] == UInt8(ascii: "u")
        {
            offset += 2
            let low = try readFourHexDigits()
            guard (0xDC00..<0xE000).contains(low) else { throw failure("half of a surrogate pair") }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw failure("half of a surrogate pair") }
        return scalar
    }

    private mutating func readFourHexDigits() throws(JSONScanError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            switch next {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): code = code << 4 | UInt32(next - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): code = code << 4 | UInt32(next - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): code = code << 4 | UInt32(next - UInt8(ascii: "A") + 10)
            default: throw failure("an escape needs four hexadecimal digits")
            }
            offset += 1
        }
        return code
    }

    /// Reads a string, escapes resolved.
    mutating func readString() throws(JSONScanError) -> String {
        let start = offset
        guard try skipString() else {
            return String(decoding: bytes[start + 1..<offset - 1], as: UTF8.self)
        }
        let end = offset - 1
        offset = start + 1
        var text: [UInt8] = []
        text.reserveCapacity(end - start)
        while offset < end {
            if bytes[offset] == UInt8(ascii: "\\") {
                text.append(contentsOf: String(Character(try readEscape())).utf8)
            } else {
                text.append(bytes[offset])
                offset += 1
            }
        }
        offset = end + 1
        return String(decoding: text, as: UTF8.self)
    }
}
