/// The bytes of one log line.
struct LogLine {
    private(set) var bytes: [UInt8] = []

    init() { bytes.reserveCapacity(256) }

    /// The fields that every JSON line has; metadata of the same name gets `metadata.` before it.
    private static let fields: Set<String> = ["time", "level", "label", "message"]

    mutating func writeJSON(
        time: Int64, level: Logger.Level, label: String, message: String, metadata: Logger.Metadata
    ) {
        append(#"{"time":""#)
        Timestamp.append(milliseconds: time, to: &bytes)
        append(#"","level":""#)
        append(level.rawValue)
        append(#"","label":"#)
        appendQuoted(label)
        append(#","message":"#)
        appendQuoted(message)
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            append(",")
            appendQuoted(Self.fields.contains(key) ? "metadata." + key : key)
            append(":")
            appendJSON(value)
        }
        append("}\n")
    }

    mutating func writeText(
        time: Int64, level: Logger.Level, label: String, message: String, metadata: Logger.Metadata
    ) {
        Timestamp.append(milliseconds: time, to: &bytes)
        append(" ")
        append(level.rawValue)
        append(" ")
        append(label)
        append(": ")
        appendEscaped(message, quotes: false)
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            append(" ")
            appendEscaped(key, quotes: false)
            append("=")
            if case .string(let text) = value, Self.isPlain(text) { append(text) } else { appendJSON(value) }
        }
        append("\n")
    }

    /// Whether a text can stand in a text line without quotes.
    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=") }
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func appendJSON(_ value: MetadataValue) {
        switch value {
        case .string(let text): appendQuoted(text)
        case .integer(let number): append(String(number))
        case .number(let number): number.isFinite ? append(String(number)) : appendQuoted(String(number))
        case .boolean(let flag): append(flag ? "true" : "false")
        }
    }

    private mutating func appendQuoted(_ text: String) {
        append("\"")
        appendEscaped(text, quotes: true)
        append("\"")
    }

    /// No control character reaches the log as it is: a line stays a line, and a terminal is not steered.
    private mutating func appendEscaped(_ text: String, quotes: Bool) {
        let hex = Array("0123456789abcdef".utf8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                if quotes { bytes.append(UInt8(ascii: "\\")) }
                bytes.append(byte)
            case UInt8(ascii: "\n"): append("\\n")
            case UInt8(ascii: "\r"): append("\\r")
            case UInt8(ascii: "\t"): append("\\t")
            case 0..<0x20, 0x7f:
                append("\\u00")
                bytes.append(hex[Int(byte >> 4)])
                bytes.append(hex[Int(byte & 15)])
            default: bytes.append(byte)
            }
        }
    }
}
