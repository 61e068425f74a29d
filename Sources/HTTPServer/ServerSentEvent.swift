/// One event of a server-sent event stream (WHATWG HTML, section 9.2).
public struct ServerSentEvent: Sendable {
    /// What a client that comes back gives as `Last-Event-ID`. Line breaks and NUL are left out of it and of the name.
    public var id: String?
    /// `message` if nil.
    public var name: String?
    /// May have several lines.
    public var data: String

    public init(id: String? = nil, name: String? = nil, data: String) {
        self.id = id
        self.name = name
        self.data = data
    }

    /// The event as it goes over the wire.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        func append(_ field: String, _ value: some Sequence<UInt8>) {
            bytes += field.utf8
            bytes += ": ".utf8
            bytes += value
            bytes.append(UInt8(ascii: "\n"))
        }
        if let id { append("id", id.utf8.filter { $0 != 10 && $0 != 13 && $0 != 0 }) }
        if let name { append("event", name.utf8.filter { $0 != 10 && $0 != 13 && $0 != 0 }) }
        // A carriage return ends a line for the client, so a bare one must not stand within data.
        let lines = data.replacing("\r\n", with: "\n").split(
            omittingEmptySubsequences: false, whereSeparator: { $0 == "\n" || $0 == "\r" })
        for line in lines { append("data", line.utf8) }
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }
}
