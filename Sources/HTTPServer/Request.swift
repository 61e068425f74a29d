/// A whole request, as its handler sees it.
public struct Request: Sendable {
    /// `GET`, `POST` and so on; `HEAD` comes to the handlers of `GET`.
    public let method: String
    /// Decoded, beginning with `/`.
    public let path: String
    /// What stood in the places of the route's pattern, decoded: any text without NUL, `/` and `..` included.
    public let parameters: [String: String]
    public let body: [UInt8]
    let queryItems: [(name: String, value: String)]
    let headers: [(name: String, value: String)]

    /// The first value of that name in the query, decoded.
    public func query(_ name: String) -> String? { queryItems.first { $0.name == name }?.value }

    /// The first value of that header; names are equal whatever their case.
    public func header(_ name: String) -> String? {
        let name = name.lowercased()
        return headers.first { $0.name == name }?.value
    }
}
