import Foundation

/// A strict JSON parser (RFC 8259) for the files of a model: unlike Foundation's it refuses a key that comes twice, and
/// it tells where each member of the outermost object lies. Nesting is limited.
struct JSONParser {
    static let maximumDepth = 64

    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    private var depth = 0
    /// Where the value of each member of the outermost object lies.
    private var memberRanges: [String: Range<Int>] = [:]

    private init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// Parses one JSON text, with nothing after it but white space.
    static func parse(_ bytes: UnsafeRawBufferPointer) throws(ModelError) -> JSONValue {
        try parseWithRanges(bytes).value
    }

    static func parse(_ bytes: [UInt8]) throws(ModelError) -> JSONValue {
        try bytes.withBytes { (raw) throws(ModelError) in try parse(raw) }
    }

    /// Parses one JSON text, and gives the byte range of each value of the outermost object.
    static func parseWithRanges(
        _ bytes: UnsafeRawBufferPointer
    ) throws(ModelError) -> (value: JSONValue, members: [String: Range<Int>]) {
        var parser = JSONParser(bytes)
        let value = try parser.value()
        parser.skipSpace()
        guard parser.position == bytes.count else { throw parser.error("something after the value") }
        return (value, parser.memberRanges)
    }

    private func error(_ what: String) -> ModelError { ModelError("invalid JSON at byte \(position): \(what)") }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    private mutating func value() throws(ModelError) -> JSONValue {
        skipSpace()
        guard let byte = next else { throw error("it ends too early") }
        switch byte {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .boolean(true))
        case UInt8(ascii: "f"): return try literal("false", .boolean(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: return try number()
        }
    }

    private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(ModelError) -> JSONValue {
        let matches = text.withUTF8Buffer { literal in
            bytes.count - position >= literal.count && bytes[position..<position + literal.count].elementsEqual(literal)
        }
        guard matches else { throw error("not a value") }
        position += text.utf8CodeUnitCount
        return value
    }

    private mutating func enter() throws(ModelError) {
        position += 1
        depth += 1
        guard depth <= Self.maximumDepth else { throw error("nested deeper than \(Self.maximumDepth)") }
    }

    private mutating func object() throws(ModelError) -> JSONValue {
        try enter()
        var members: [String: JSONValue] = [:]
        skipSpace()
        if take(UInt8(ascii: "}")) {
            depth -= 1
            return .object(members)
        }
        repeat {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw error("a member's name is missing") }
            let key = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw error("\":\" is missing") }
            skipSpace()
            let start = position
            let member = try value()
            if depth == 1 { memberRanges[key] = start..<position }
            guard members.updateValue(member, forKey: key) == nil else { throw error("\"\(key)\" comes twice") }
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw error("\"}\" is missing") }
        depth -= 1
        return .object(members)
    }

    private mutating func array() throws(ModelError) -> JSONValue {
        try enter()
        var elements: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) {
            depth -= 1
            return .array(elements)
        }
        repeat {
            elements.append(try value())
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw error("\"]\" is missing") }
        depth -= 1
        return .array(elements)
    }

    /// A string, from its opening quote. Those with escapes are left to Foundation.
    private mutating func string() throws(ModelError) -> String {
        let start = position
        position += 1
        var hasEscapes = false
        while let byte = next, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw error("a control character in a string") }
            if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                position += 1
                guard next != nil else { break }
            }
            position += 1
        }
        guard take(UInt8(ascii: "\"")) else { throw error("a string does not end") }
        let token = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
        if hasEscapes {
            guard let text = try? JSONDecoder().decode(String.self, from: Data(token)) else {
                throw error("a string with a wrong escape")
            }
            return text
        }
        let content = UnsafeRawBufferPointer(rebasing: token[1..<token.count - 1])
        guard let text = String(validating: content, as: UTF8.self) else { throw error("a string is not UTF-8") }
        return text
    }

    private mutating func number() throws(ModelError) -> JSONValue {
        let start = position
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        var isInteger = true
        if take(UInt8(ascii: ".")) {
            isInteger = false
            try digits()
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            isInteger = false
            _ = take(UInt8(ascii: "+")) || take(UInt8(ascii: "-"))
            try digits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let integer = Int(text) { return .integer(integer) }
        guard let double = Double(text), double.isFinite else { throw error("a number out of range") }
        return .number(double)
    }

    private mutating func digits() throws(ModelError) {
        let start = position
        while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
        guard position > start else { throw error("not a value") }
    }
}

extension [UInt8] {
    /// `withUnsafeBytes` with a typed error.
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws(ModelError) -> Result) throws(ModelError) -> Result {
        let result = withUnsafeBytes { raw -> Swift.Result<Result, ModelError> in
            do throws(ModelError) {
                return .success(try body(raw))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
