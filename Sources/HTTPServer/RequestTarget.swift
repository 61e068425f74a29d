/// The path and query of a request line (RFC 9112, section 3.2; RFC 3986, section 3), decoded strictly: a broken escape, NUL
/// or invalid UTF-8 is an error, never a guess.
struct RequestTarget: Equatable {
    /// The path's segments, each decoded on its own, so that an escaped slash stays in its segment.
    var segments: [String]
    var queryItems: [QueryItem]

    struct QueryItem: Equatable {
        var name: String
        var value: String
    }

    var path: String { "/" + segments.joined(separator: "/") }

    init(_ text: some Collection<UInt8>) throws(HTTPError) {
        let fullPath = Self.withoutAuthority(Array(text))
        guard fullPath.first == UInt8(ascii: "/") else {
            throw .malformed("the request's target must be a path that begins with /")
        }
        let parts = fullPath.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        segments = []
        for segment in parts[0].dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            segments.append(try Self.decoded(segment, plusIsSpace: false))
        }
        queryItems = []
        guard parts.count == 2 else { return }
        for item in parts[1].split(separator: UInt8(ascii: "&")) {
            let sides = item.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            queryItems.append(
                QueryItem(
                    name: try Self.decoded(sides[0], plusIsSpace: true),
                    value: sides.count == 2 ? try Self.decoded(sides[1], plusIsSpace: true) : ""))
        }
    }

    /// The absolute form, `http://host/path`, which servers must accept too.
    private static func withoutAuthority(_ target: [UInt8]) -> ArraySlice<UInt8> {
        for scheme in ["http://", "https://"]
        where target.count >= scheme.utf8.count && zip(target, scheme.utf8).allSatisfy({ $0 | 0x20 == $1 | 0x20 }) {
            let rest = target[scheme.utf8.count...]
            guard let slash = rest.firstIndex(of: UInt8(ascii: "/")) else { return [UInt8(ascii: "/")] }
            return rest[slash...]
        }
        return target[...]
    }

    private static func decoded(_ bytes: ArraySlice<UInt8>, plusIsSpace: Bool) throws(HTTPError) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var rest = bytes
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard let high = rest.popFirst().flatMap(hexValue), let low = rest.popFirst().flatMap(hexValue) else {
                    throw .malformed("the request's target has a % that two hexadecimal digits do not follow")
                }
                result.append(high << 4 | low)
            } else {
                result.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        guard !result.contains(0), let text = String(validating: result, as: UTF8.self) else {
            throw .malformed("the request's target is not valid UTF-8, or has a NUL in it")
        }
        return text
    }

    private static func hexValue(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
