import Foundation

/// What a handler answers.
public struct Response: Sendable {
    enum Content: Sendable {
        case bytes([UInt8])
        case stream(@Sendable (ResponseStream) -> Void)
    }

    /// 200 to 599.
    public let status: Int
    /// `Content-Length`, `Connection`, `Date` and `Transfer-Encoding` are the server's affair. A name or value that cannot
    /// stand in a header makes the answer 500.
    public var headers: [String: String]
    let content: Content

    public init(status: Int = 200, contentType: String, body: [UInt8]) {
        self.init(status: status, contentType: contentType, content: .bytes(body))
    }

    public static func text(status: Int = 200, _ text: String) -> Response {
        Response(status: status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8))
    }

    /// - Throws: what the value's encoding throws.
    public static func json(status: Int = 200, _ value: some Encodable) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Response(status: status, contentType: "application/json", body: Array(try encoder.encode(value)))
    }

    /// Server-sent events (WHATWG HTML, section 9.2). `open` gets the stream when the answer begins, on the server's thread; it
    /// keeps it and sends from wherever it likes. For HEAD it is not called.
    public static func eventStream(_ open: @escaping @Sendable (ResponseStream) -> Void) -> Response {
        var response = Response(status: 200, contentType: "text/event-stream", content: .stream(open))
        response.headers["Cache-Control"] = "no-cache"
        return response
    }

    private init(status: Int, contentType: String, content: Content) {
        precondition((200...599).contains(status), "HTTP status \(status)")
        self.status = status
        self.headers = ["Content-Type": contentType]
        self.content = content
    }
}
