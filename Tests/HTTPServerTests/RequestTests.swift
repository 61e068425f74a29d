import Foundation
import HTTPServer
import TestSupport
import Testing

struct RequestTests {
    struct ErrorBody: Decodable {
        struct Detail: Decodable { let code, message: String }
        let error: Detail
    }

    private func code(_ reply: RawClient.Reply) throws -> String {
        #expect(reply.headers["content-type"] == "application/json")
        return try JSONDecoder().decode(ErrorBody.self, from: Data(reply.body)).error.code
    }

    @Test func answersOnOneConnection() throws {
        let server = try TestServer()
        let client = try RawClient(port: server.port)
        var reply = try client.get("/hello?x=1&name=J%C3%BCrg+%2B&name=b")
        #expect(reply.status == 200 && reply.text == "hello Jürg +\n")
        #expect(reply.headers["content-type"] == "text/plain; charset=utf-8")
        reply = try client.get("/items/a%2Fb%20c")
        #expect(reply.status == 200 && reply.text == "a/b c")
        reply = try client.get("/json")
        #expect(reply.text == #"{"a":2,"b":1}"#)
        reply = try client.get("/header", headers: "x-TEST: value\r\n")
        #expect(reply.text == "value")
        reply = try client.get("http://elsewhere/hello")
        #expect(reply.text == "hello you\n")
    }

    @Test func errorsHaveStableCodes() throws {
        let server = try TestServer()
        let client = try RawClient(port: server.port)
        var reply = try client.get("/nothing")
        #expect(try reply.status == 404 && code(reply) == "not_found")
        reply = try client.get("/items/")
        #expect(reply.status == 404)
        reply = try client.get("/missing")
        #expect(try reply.status == 404 && code(reply) == "not_found")
        reply = try client.get("/broken")
        #expect(try reply.status == 500 && code(reply) == "internal")
        #expect(!reply.text.contains("Broken"))
        #expect(server.reports.all.count == 1 && server.reports.all[0].contains("GET /broken: Broken"))
        client.send("DELETE /items/x HTTP/1.1\r\nHost: a\r\n\r\n")
        reply = try client.receiveReply()
        #expect(try reply.status == 405 && code(reply) == "method_not_allowed")
        #expect(reply.headers["allow"] == "GET, HEAD, PUT")
        for target in ["/a%", "/a%2", "/a%zz", "/%00", "/%ff", "/hello?name=%80", "/hello?%c3%28=1", "/hello?a=%0"] {
            reply = try client.get(target)
            #expect(try reply.status == 400 && code(reply) == "request_malformed", "\(target)")
        }
        reply = try client.get("/bad-header")
        #expect(try reply.status == 500 && code(reply) == "internal")
    }

    @Test func headHasNoBody() throws {
        let server = try TestServer()
        let client = try RawClient(port: server.port)
        for _ in 0..<2 {
            client.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            let reply = try client.receiveReply(hasBody: false)
            #expect(reply.status == 200 && reply.headers["content-length"] == "10")
        }
        client.send("HEAD /events HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.receiveReply(hasBody: false).headers["content-type"] == "text/event-stream")
        #expect(server.streams.all.isEmpty)
        #expect(try client.receiveAll().isEmpty)
    }

    @Test func takesBodies() throws {
        let server = try TestServer()
        let client = try RawClient(port: server.port)
        let body = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
        client.send(body)
        #expect(try client.receiveReply().body == body)
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n")
        for start in stride(from: 0, to: body.count, by: 7000) {
            let part = body[start..<min(start + 7000, body.count)]
            client.send("\(String(part.count, radix: 16));extension=1\r\n")
            client.send(Array(part))
            client.send("\r\n")
        }
        client.send("0\r\nTrailer: x\r\n\r\n")
        #expect(try client.receiveReply().body == body)
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        #expect(try client.receiveReply().body == [])
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        #expect(try client.receiveHead().status == 100)
        client.send("abc")
        #expect(try client.receiveReply().text == "abc")
    }

    @Test func answersPipelinedRequestsInOrder() throws {
        let server = try TestServer()
        let client = try RawClient(port: server.port)
        client.send(
            (0..<200).map { "GET /items/\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined()
                + "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nlast"
                + "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        for index in 0..<200 { #expect(try client.receiveReply().text == "\(index)") }
        #expect(try client.receiveReply().text == "last")
        #expect(try client.receiveReply().text == "hello you\n")
    }

    @Test func speaksWithOldClients() throws {
        let server = try TestServer()
        let client = try RawClient(port: server.port)
        client.send("GET /hello HTTP/1.0\r\n\r\n")
        let text = String(decoding: try client.receiveAll(), as: UTF8.self)
        #expect(text.contains(" 200 ") && text.hasSuffix("\r\n\r\nhello you\n"))
    }

    @Test func reportsWhyItCannotStart() throws {
        let server = try TestServer()
        #expect {
            _ = try HTTPServer(host: "127.0.0.1", port: server.port, routes: [])
        } throws: {
            "\($0)" == "cannot listen on 127.0.0.1:\(server.port): Address already in use"
        }
        #expect(throws: HTTPServer.CannotStart.self) { try HTTPServer(host: "203.0.113.1", port: 0, routes: []) }
        #expect(throws: HTTPServer.CannotStart.self) { try HTTPServer(host: "127.0.0.1", port: 70_000, routes: []) }
        #expect(throws: HTTPServer.CannotStart.self) { try HTTPServer(host: "256.1.1.1", port: 0, routes: []) }
    }

    @Test(
        .enabled(if: ChildProcess.installed("curl") != nil, "curl is not installed"),
        .enabled(if: FileManager.default.fileExists(atPath: "/proc/net/if_inet6"), "this machine has no IPv6"))
    func listensOnIPv6() throws {
        let curl = try #require(ChildProcess.installed("curl"))
        let server = try TestServer(host: "::1")
        let output = try ChildProcess.run(
            curl, ["-sS", "--globoff", "--max-time", "20", "http://[::1]:\(server.port)/hello?name=six"])
        #expect(String(decoding: output, as: UTF8.self) == "hello six\n")
    }

    /// A client that nobody here wrote.
    @Test(.enabled(if: ChildProcess.installed("curl") != nil, "curl is not installed"))
    func curlIsServed() throws {
        let curl = try #require(ChildProcess.installed("curl"))
        let server = try TestServer()
        func run(_ arguments: String...) throws -> String {
            String(decoding: try ChildProcess.run(curl, ["-sS", "--max-time", "20"] + arguments), as: UTF8.self)
        }
        let base = "http://127.0.0.1:\(server.port)"
        #expect(try run("\(base)/hello?name=curl") == "hello curl\n")
        #expect(try run("-I", "\(base)/hello").contains("Content-Length: 10"))
        let folder = try TemporaryDirectory()
        let file = try folder.write("body", Data(repeating: 65, count: 99_999))
        #expect(try run("--data-binary", "@\(file.path)", "\(base)/echo") == String(repeating: "A", count: 99_999))
        #expect(
            try run("-H", "Transfer-Encoding: chunked", "--data-binary", "@\(file.path)", "\(base)/echo").count
                == 99_999)
        let large = try folder.write("large", Data(repeating: 65, count: 150_000))
        for more in [["-H", "Expect:"], ["-H", "Expect: 100-continue"], ["-H", "Transfer-Encoding: chunked"]] {
            let arguments = more + ["-w", " %{http_code}", "--data-binary", "@\(large.path)", "\(base)/echo"]
            let output = String(decoding: try ChildProcess.run(curl, ["-sS"] + arguments), as: UTF8.self)
            #expect(output.hasSuffix(" 413") && output.contains("request_too_large"))
        }
    }
}
