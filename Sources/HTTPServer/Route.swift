/// One method and path, and what answers it.
///
/// Handlers are called on the server's own threads, one request at a time on each, never on Swift's cooperative pool. So they
/// may block, but while one does, the other connections of that thread wait: a server whose handlers wait for disks or
/// brokers is given several threads, and what takes longer is answered with an event stream. A handler must not stop its
/// server.
public struct Route: Sendable {
    public typealias Handler = @Sendable (Request) throws -> Response

    let method: String
    let pattern: [Segment]
    let maxBodyBytes: Int
    let handler: Handler

    enum Segment: Sendable, Equatable {
        case literal(String)
        case parameter(String)
    }

    /// - Parameters:
    ///   - method: `GET` answers `HEAD` too.
    ///   - pattern: as `/v1/captions/{id}`: a segment in braces takes any one segment that is not empty. Where several patterns fit a
    ///     path, the first of the server's list is taken.
    ///   - maxBodyBytes: a longer body is 413; 0 means that none is taken.
    public init(_ method: String, _ pattern: String, maxBodyBytes: Int = 0, handler: @escaping Handler) {
        precondition(pattern.hasPrefix("/"), "route pattern \(pattern)")
        self.method = method
        self.pattern = pattern.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map {
            $0.hasPrefix("{") && $0.hasSuffix("}")
                ? .parameter(String($0.dropFirst().dropLast())) : .literal(String($0))
        }
        self.maxBodyBytes = maxBodyBytes
        self.handler = handler
    }

    /// The parameters' values if the path fits.
    func match(_ segments: [String]) -> [String: String]? {
        guard segments.count == pattern.count else { return nil }
        var parameters: [String: String] = [:]
        for (segment, expected) in zip(segments, pattern) {
            switch expected {
            case .literal(let text): guard segment == text else { return nil }
            case .parameter(let name):
                guard !segment.isEmpty else { return nil }
                parameters[name] = segment
            }
        }
        return parameters
    }
}

/// Finds the route of a request.
struct Router: Sendable {
    let routes: [Route]

    func route(method: String, segments: [String]) throws(HTTPError) -> (route: Route, parameters: [String: String]) {
        let wanted = method == "HEAD" ? "GET" : method
        var allowed: Set<String> = []
        for route in routes {
            guard let parameters = route.match(segments) else { continue }
            if route.method == wanted { return (route, parameters) }
            allowed.insert(route.method)
            if route.method == "GET" { allowed.insert("HEAD") }
        }
        guard !allowed.isEmpty else { throw .notFound("there is nothing at this path") }
        let list = allowed.sorted().joined(separator: ", ")
        throw HTTPError(
            status: 405, code: "method_not_allowed", message: "this path takes \(list) only", headers: ["Allow": list])
    }
}
