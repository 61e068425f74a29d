/// The W3C trace context that a `traceparent` header carries (W3C Trace Context, section 3.2).
public struct TraceContext: Sendable, Equatable {
    /// 32 lowercase hexadecimal digits, not all zero.
    public let traceID: String
    /// 16 lowercase hexadecimal digits, not all zero.
    public let parentID: String
    public let isSampled: Bool

    /// Nil for anything that the specification calls invalid. Later versions than 00 may carry more after the flags.
    public init?(traceparent: some Collection<UInt8>) {
        guard traceparent.count >= 55, traceparent.count <= 512 else { return nil }
        let bytes = Array(traceparent)
        let dash = UInt8(ascii: "-")
        let version = bytes[0..<2]
        guard bytes[2] == dash, bytes[35] == dash, bytes[52] == dash,
            [version, bytes[3..<35], bytes[36..<52], bytes[53..<55]].allSatisfy({ $0.allSatisfy(Self.isHexDigit) }),
            !version.elementsEqual("ff".utf8),
            bytes.count == 55 || (!version.elementsEqual("00".utf8) && bytes[55] == dash)
        else { return nil }
        let zero = UInt8(ascii: "0")
        guard !bytes[3..<35].allSatisfy({ $0 == zero }), !bytes[36..<52].allSatisfy({ $0 == zero }) else { return nil }
        traceID = String(decoding: bytes[3..<35], as: UTF8.self)
        parentID = String(decoding: bytes[36..<52], as: UTF8.self)
        isSampled = Self.value(bytes[54]) & 1 == 1
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    private static func value(_ digit: UInt8) -> UInt8 {
        digit <= UInt8(ascii: "9") ? digit - UInt8(ascii: "0") : digit - UInt8(ascii: "a") + 10
    }
}
