import HTTPServer
import Synchronization

/// What the tests' server saw and does.
final class TestServer: Sendable {
    let server: HTTPServer
    let streams: Streams
    let reports: Reports

    final class Streams: Sendable {
        private let list = Mutex<[ResponseStream]>([])
        func add(_ stream: ResponseStream) { list.withLock { $0.append(stream) } }
        var all: [ResponseStream] { list.withLock { $0 } }
    }

    final class Reports: Sendable {
        private let list = Mutex<[String]>([])
        func add(_ line: String) { list.withLock { $0.append(line) } }
        var all: [String] { list.withLock { $0 } }
    }

    struct Broken: Error {}

    var port: Int { server.port }

    init(host: String = "127.0.0.1", threads: Int = 1, limits: Limits = Limits(), routes: [Route] = []) throws {
        let (streams, reports) = (Streams(), Reports())
        server = try HTTPServer(
            host: host, port: 0, threads: threads, limits: limits, report: { reports.add($0) },
            routes: routes + [
                Route("GET", "/hello") { request in .text("hello \(request.query("name") ?? "you")\n") },
                Route("POST", "/echo", maxBodyBytes: 100_000) { request in
                    Response(contentType: "application/octet-stream", body: request.body)
                },
                Route("GET", "/items/{id}") { request in .text(request.parameters["id"] ?? "") },
                Route("PUT", "/items/{id}", maxBodyBytes: 10) { _ in .text(status: 201, "made") },
                Route("GET", "/missing") { _ in throw HTTPError.notFound("no such \"thing\"") },
                Route("GET", "/broken") { _ in throw Broken() },
                Route("GET", "/bad-header") { _ in
                    var response = Response.text("x")
                    response.headers["X-Bad"] = "a\r\nInjected: b"
                    return response
                },
                Route("GET", "/header") { request in .text(request.header("X-Test") ?? "none") },
                Route("GET", "/large") { _ in
                    Response(contentType: "application/octet-stream", body: [UInt8](repeating: 7, count: 8 << 20))
                },
                Route("GET", "/json") { _ in try .json(["b": 1, "a": 2]) },
                Route("GET", "/events") { _ in .eventStream { streams.add($0) } },
            ])
        self.streams = streams
        self.reports = reports
    }

    /// The stream that the next request to `/events` opened.
    func stream(_ index: Int = 0) -> ResponseStream { streams.all[index] }
}
