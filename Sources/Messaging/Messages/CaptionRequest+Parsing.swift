extension CaptionRequest {
    /// Reads a record of the requests topic. Every byte may be wrong: nothing is thrown, and what is taken is bounded.
    ///
    /// A value that does not begin with `{` (after a BOM and white space) is the image's path alone; a newline at its end is
    /// dropped. In an object, null stands for an absent field (but is a metadata like any other), unknown fields are ignored, and a known field that comes
    /// twice is malformed, because readers differ in which one counts.
    public static func parse(_ message: KafkaMessage, limits: RequestLimits = RequestLimits()) -> ParsedRequest {
        var parser = RequestParser(limits: limits)
        parser.checkSizes(message)
        if let value = message.value, value.count <= limits.valueBytes {
            value.withUnsafeBufferPointer { parser.parse($0) }
        } else if message.value == nil {
            parser.fail(.requestMalformed, "the record has no value")
        }
        if parser.request.id.isEmpty {
            parser.request.id = "\(message.topic):\(message.partition):\(message.offset)"
        }
        return ParsedRequest(request: parser.request, failure: parser.failure)
    }
}

/// Fills one request. The first failure counts, but reading goes on as long as the text is JSON, so that an error result
/// can carry id, batch and metadata.
private struct RequestParser {
    /// Without an id until the caller's is read.
    var request = CaptionRequest(id: "", image: "")
    var failure: RequestFailure?
    private let limits: RequestLimits
    /// One bit a field that has come.
    private var seen: UInt16 = 0

    init(limits: RequestLimits) { self.limits = limits }

    mutating func fail(_ code: ErrorCode, _ message: String) {
        if failure == nil { failure = RequestFailure(code, message) }
    }

    mutating func checkSizes(_ message: KafkaMessage) {
        let valueBytes = message.value?.count ?? 0
        let keyBytes = message.key?.count ?? 0
        if valueBytes > limits.valueBytes {
            fail(.requestTooLarge, "the value has \(valueBytes) bytes; at most \(limits.valueBytes) are taken")
        }
        if keyBytes > limits.keyBytes {
            fail(.requestTooLarge, "the key has \(keyBytes) bytes; at most \(limits.keyBytes) are taken")
        }
        let headerBytes = message.headersByteCount
        if headerBytes > limits.headerBytes {
            fail(.headersTooLarge, "the headers have \(headerBytes) bytes; at most \(limits.headerBytes) are taken")
        }
        if message.headers.count > limits.headers || message.hasUnreadableHeaders {
            fail(.headersTooLarge, "there are too many headers; at most \(limits.headers) are taken")
        }
    }

    mutating func parse(_ bytes: UnsafeBufferPointer<UInt8>) {
        if bytes.first == 0 {
            return fail(
                .requestMalformed,
                "the value begins with a zero byte: send plain JSON, without a schema registry's framing")
        }
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        // The object itself is one level more than what it holds.
        var scanner = JSONScanner(bytes, from: start, maximumDepth: limits.metadataDepth + 1)
        scanner.skipWhiteSpace()
        if scanner.next != UInt8(ascii: "{") { return takePath(bytes[start...]) }
        do {
            try parseObject(&scanner, bytes)
        } catch {
            fail(.requestMalformed, "the value is not JSON: \(error)")
        }
    }

    private mutating func takePath(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) {
        var path = bytes
        while let last = path.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { path.removeLast() }
        if let text = String(validating: path, as: UTF8.self) {
            request.image = text
        } else {
            fail(.requestMalformed, "the value is not UTF-8")
        }
    }

    private mutating func parseObject(
        _ scanner: inout JSONScanner, _ bytes: UnsafeBufferPointer<UInt8>
    ) throws(JSONScanError) {
        try scanner.expect(UInt8(ascii: "{"), "an object is missing")
        scanner.skipWhiteSpace()
        if !scanner.skip(UInt8(ascii: "}")) {
            repeat {
                scanner.skipWhiteSpace()
                let field = try readField(&scanner, bytes)
                scanner.skipWhiteSpace()
                try scanner.expect(UInt8(ascii: ":"), "a colon is missing")
                scanner.skipWhiteSpace()
                if let field {
                    try parse(field, &scanner, bytes)
                } else {
                    try scanner.skipValue(depth: 1)
                }
                scanner.skipWhiteSpace()
            } while scanner.skip(UInt8(ascii: ","))
            try scanner.expect(UInt8(ascii: "}"), "a comma or the end of the object is missing")
        }
        scanner.skipWhiteSpace()
        if !scanner.isAtEnd { throw scanner.failure("something follows the object") }
        if seen & Field.image.bit == 0 { fail(.requestMalformed, "the field image is missing") }
    }

    /// Reads a field's name; nil for one that means nothing. Without making a text of it, unless it has escapes.
    private func readField(
        _ scanner: inout JSONScanner, _ bytes: UnsafeBufferPointer<UInt8>
    ) throws(JSONScanError) -> Field? {
        let before = scanner
        if try scanner.skipString() {
            scanner = before
            return Field(rawValue: try scanner.readString())
        }
        return Field(UnsafeBufferPointer(rebasing: bytes[before.offset + 1..<scanner.offset - 1]))
    }

    private mutating func parse(
        _ field: Field, _ scanner: inout JSONScanner, _ bytes: UnsafeBufferPointer<UInt8>
    ) throws(JSONScanError) {
        let start = scanner.offset
        let kind = scanner.next
        if kind == UInt8(ascii: "n"), field != .metadata { return try scanner.skipValue(depth: 1) }
        if seen & field.bit != 0 { fail(.requestMalformed, "the field \(field.rawValue) comes twice") }
        seen |= field.bit
        switch field {
        case .metadata:
            try scanner.skipValue(depth: 1)
            take(metadata: bytes[start..<scanner.offset])
        case .beam, .candidates, .maxWords:
            try scanner.skipValue(depth: 1)
            take(bytes[start..<scanner.offset], for: field)
        case .id, .image, .model, .batch, .expiresAt:
            if kind == UInt8(ascii: "\"") {
                take(try scanner.readString(), for: field)
            } else {
                try scanner.skipValue(depth: 1)
                fail(.requestMalformed, "the field \(field.rawValue) is not a string")
            }
        }
    }

    private mutating func take(_ text: String, for field: Field) {
        switch field {
        case .image: request.image = text
        case .model: request.model = text
        case .id:
            if (1...limits.idBytes).contains(text.utf8.count) {
                request.id = text
            } else {
                fail(.requestMalformed, "the field id has \(text.utf8.count) bytes; give 1 to \(limits.idBytes)")
            }
        case .batch:
            if text.utf8.count <= limits.batchBytes {
                request.batch = text
            } else {
                fail(
                    .requestMalformed,
                    "the field batch has \(text.utf8.count) bytes; at most \(limits.batchBytes) are taken")
            }
        default:
            request.expiresAt = RFC3339.milliseconds(text)
            if request.expiresAt == nil {
                fail(.requestMalformed, "the field expires_at is not an RFC 3339 time such as 2026-01-31T12:00:00Z")
            }
        }
    }

    /// A decoding option: a JSON value that should be a whole number within the limits, `3` or `3.0` or `3e0`.
    private mutating func take(_ bytes: Slice<UnsafeBufferPointer<UInt8>>, for field: Field) {
        guard let lead = bytes.first,
            lead == UInt8(ascii: "-") || (lead >= UInt8(ascii: "0") && lead <= UInt8(ascii: "9"))
        else { return fail(.requestMalformed, "the field \(field.rawValue) is not a number") }
        let number = Double(String(decoding: bytes, as: UTF8.self)) ?? .infinity
        let maximum =
            switch field {
            case .beam: limits.maximumBeam
            case .candidates: limits.maximumCandidates
            default: limits.maximumWords
            }
        guard number >= 1, number <= Double(maximum), number.rounded() == number else {
            return fail(.optionOutOfRange, "the field \(field.rawValue) is not a whole number of 1 to \(maximum)")
        }
        switch field {
        case .beam: request.beam = Int(number)
        case .candidates: request.candidates = Int(number)
        default: request.maxWords = Int(number)
        }
    }

    private mutating func take(metadata bytes: Slice<UnsafeBufferPointer<UInt8>>) {
        if bytes.count <= limits.metadataBytes {
            request.metadata = Array(bytes)
        } else {
            fail(
                .requestTooLarge,
                "the field metadata has \(bytes.count) bytes; at most \(limits.metadataBytes) are taken")
        }
    }
}

/// The fields of a request that mean something.
private enum Field: String, CaseIterable {
    case id, image, model, beam, candidates, batch, metadata
    case maxWords = "max_words"
    case expiresAt = "expires_at"

    private static let names = allCases.map { (field: $0, name: Array($0.rawValue.utf8)) }

    init?(_ name: UnsafeBufferPointer<UInt8>) {
        let found = Self.names.first { $0.name.count == name.count && $0.name.elementsEqual(name) }
        guard let found else { return nil }
        self = found.field
    }

    var bit: UInt16 {
        switch self {
        case .id: 1
        case .image: 2
        case .model: 4
        case .beam: 8
        case .candidates: 16
        case .batch: 32
        case .metadata: 64
        case .maxWords: 128
        case .expiresAt: 256
        }
    }
}
