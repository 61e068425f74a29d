import Foundation

/// An answer that is no success: status, stable code, message for people. Handlers throw it; the client gets
/// `{"error":{"code":"not_found","message":"…"}}`. Any other error that a handler throws is reported to the program and
/// answered as 500 `internal` without its text.
///
/// The server's own codes: `request_malformed` (400), `not_found` (404), `method_not_allowed` (405), `request_too_large`
/// (413), `target_too_long` (414), `headers_too_large` (431), `internal` (500), `not_implemented` (501), `overloaded` (503).
/// What is no HTTP at all, or larger than the connection's memory, libmicrohttpd answers itself, with a short HTML page; some
/// (a query of thousands of items) it only closes when their time is up.
public struct HTTPError: Error, Sendable, Equatable {
    public let status: Int
    public let code: String
    public let message: String
    /// Further headers, as `Retry-After`.
    public let headers: [String: String]

    public init(status: Int, code: String, message: String, headers: [String: String] = [:]) {
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers
    }

    public static func malformed(_ message: String) -> HTTPError {
        HTTPError(status: 400, code: "request_malformed", message: message)
    }

    public static func notFound(_ message: String) -> HTTPError {
        HTTPError(status: 404, code: "not_found", message: message)
    }

    static func tooLarge(limit: Int) -> HTTPError {
        HTTPError(
            status: 413, code: "request_too_large",
            message: limit == 0 ? "no request body is taken here" : "the request body may have at most \(limit) bytes")
    }

    static let overloaded = HTTPError(
        status: 503, code: "overloaded", message: "too many uploads at once; try again", headers: ["Retry-After": "1"])

    static let `internal` = HTTPError(status: 500, code: "internal", message: "internal error")

    /// The answer that says so.
    public var response: Response {
        struct Envelope: Encodable {
            struct Detail: Encodable { let code, message: String }
            let error: Detail
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Two strings always encode.
        let body = (try? encoder.encode(Envelope(error: .init(code: code, message: message)))) ?? Data()
        var response = Response(status: status, contentType: "application/json", body: Array(body))
        response.headers.merge(headers) { _, own in own }
        return response
    }
}
