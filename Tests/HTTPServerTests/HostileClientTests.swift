import Foundation
import HTTPServer
import TestSupport
import Testing

/// Clients that mean harm. Each test ends by seeing the server answer a decent one.
struct HostileClientTests {
    private func limits(_ change: (inout Limits) -> Void = { _ in }) -> Limits {
        var limits = Limits()
        limits.timeout = .milliseconds(300)
        change(&limits)
        return limits
    }

    private func expectAlive(_ server: TestServer) throws {
        #expect(try RawClient(port: server.port).get("/hello").text == "hello you\n")
    }

    /// One byte now and then keeps no connection: heads and bodies have their time.
    @Test(arguments: [
        "GET /hello HTTP/1.1\r\nHost: a\r\nX: ", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n",
    ])
    func tricklersAreClosed(start: String) throws {
        let server = try TestServer(limits: limits())
        let client = try RawClient(port: server.port)
        client.send(start)
        var trickled = 0
        while client.send("y"), trickled < 400 {
            trickled += 1
            usleep(20_000)
        }
        #expect(trickled < 400)
        try expectAlive(server)
    }

    /// Slow is not hostile: a body gets time by its length.
    @Test func slowUploadsAreTaken() throws {
        let server = try TestServer(limits: limits { $0.minimumBytesPerSecond = 2000 })
        let client = try RawClient(port: server.port)
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3000\r\n\r\n")
        for _ in 0..<30 {
            client.send([UInt8](repeating: 1, count: 100))
            usleep(25_000)
        }
        #expect(try client.receiveReply().body.count == 3000)
    }

    @Test func idleConnectionsAreClosed() throws {
        let server = try TestServer(limits: limits())
        let silent = try RawClient(port: server.port)
        let keptAlive = try RawClient(port: server.port)
        #expect(try keptAlive.get("/hello").status == 200)
        #expect(try silent.receiveAll().isEmpty && keptAlive.receiveAll().isEmpty)
    }

    @Test func answersNobodyReadsAreGivenUp() throws {
        let server = try TestServer(limits: limits { $0.minimumBytesPerSecond = 1 << 30 })
        let client = try RawClient(port: server.port, receiveBuffer: 4096)
        client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.receive())
        try expectAlive(server)
        usleep(800_000)
        #expect(try client.receiveAll().count < 8 << 20)
    }

    @Test func headsHaveLimits() throws {
        let server = try TestServer()
        func status(_ request: String) throws -> Int {
            let client = try RawClient(port: server.port)
            client.send(request)
            return try client.receiveReply().status
        }
        let long = { String(repeating: "a", count: $0) }
        #expect(try status("GET /items/\(long(8000)) HTTP/1.1\r\nHost: a\r\n\r\n") == 200)
        #expect(try status("GET /items/\(long(9000)) HTTP/1.1\r\nHost: a\r\n\r\n") == 414)
        #expect(try status("GET /\(long(100_000)) HTTP/1.1\r\nHost: a\r\n\r\n") == 414)
        #expect(try status("GET /hello HTTP/1.1\r\nHost: a\r\nX: \(long(16_000))\r\n\r\n") == 200)
        #expect(try status("GET /hello HTTP/1.1\r\nHost: a\r\nX: \(long(17_000))\r\n\r\n") == 431)
        #expect(try status("GET /hello HTTP/1.1\r\nHost: a\r\nX: \(long(200_000))\r\n\r\n") == 431)
        let many = String(repeating: "X: y\r\n", count: 50_000)
        #expect(try status("GET /hello HTTP/1.1\r\nHost: a\r\n\(many)\r\n") == 431)
        try expectAlive(server)
    }

    /// libmicrohttpd 0.9.75 runs out of the connection's memory and says nothing: the time limit closes.
    @Test func countlessQueryItemsAreClosed() throws {
        let server = try TestServer(limits: limits())
        let client = try RawClient(port: server.port)
        client.send("GET /hello?\(String(repeating: "a&", count: 4000)) HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(!String(decoding: try client.receiveAll(), as: UTF8.self).contains(" 200 "))
        try expectAlive(server)
    }

    /// The rest of an unacceptable body is read, so that the answer is seen; but not without end.
    @Test func bodiesHaveLimits() throws {
        let server = try TestServer()
        let client = try RawClient(port: server.port)
        let head = "POST /echo HTTP/1.1\r\nHost: a\r\n"
        client.send(head + "Content-Length: 100001\r\n\r\n")
        client.send([UInt8](repeating: 1, count: 100_001))
        #expect(try client.receiveReply().status == 413)
        client.send(head + "Content-Length: 100001\r\nExpect: 100-continue\r\n\r\n")
        #expect(try client.receiveReply().status == 413)
        #expect(try client.receiveAll().isEmpty)

        let chunked = try RawClient(port: server.port)
        chunked.send(head + "Transfer-Encoding: chunked\r\n\r\n")
        let chunk = Array("10000\r\n".utf8) + [UInt8](repeating: 1, count: 0x10000) + Array("\r\n".utf8)
        for _ in 0..<3 { chunked.send(chunk) }
        chunked.send("0\r\n\r\n")
        #expect(try chunked.receiveReply().status == 413)

        let endless = try RawClient(port: server.port)
        endless.send(head + "Transfer-Encoding: chunked\r\n\r\n")
        var sent = 0
        while endless.send(chunk), sent < 1000 { sent += 1 }
        #expect(sent < 1000)

        let declared = try RawClient(port: server.port)
        declared.send(head + "Content-Length: 99999999999\r\n\r\n")
        #expect(try declared.receiveReply().status == 413)
        let none = try RawClient(port: server.port)
        none.send("GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde")
        #expect(try none.receiveReply().status == 413)
        try expectAlive(server)
    }

    @Test(arguments: [
        "\r\n\r\n\r\n", "\u{0}\u{0}\u{0}\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
        "GET /hello HTTP/1.1\r\n\r\n",
        "GET /hel\u{0}lo HTTP/1.1\r\nHost: a\r\n\r\n", "GET /hello HTTP/1.1\r\nHo\u{0}st: a\r\n\r\n",
        "GET hello HTTP/1.1\r\nHost: a\r\n\r\n", "GET /hello HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{fc}\u{3}\u{3}",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    ])
    func nonsenseIsRefusedOrClosed(request: String) throws {
        let server = try TestServer()
        let client = try RawClient(port: server.port)
        client.send(request)
        client.finishSending()
        let answer = String(decoding: try client.receiveAll(), as: UTF8.self)
        #expect(!answer.contains(" 200 ") || answer.contains("hello"), "\(answer)")
        try expectAlive(server)
    }

    /// Where another server could see the request's end elsewhere, it is refused and the connection closed.
    @Test(arguments: [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 4\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Content-Length: +4\r\n", "Transfer-Encoding: xchunked\r\n",
    ])
    func ambiguousBodiesAreRefused(headers: String) throws {
        let server = try TestServer()
        let client = try RawClient(port: server.port)
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\n\(headers)\r\n0\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        let reply = try client.receiveReply()
        #expect(reply.status == 400 || reply.status == 501)
        #expect(!String(decoding: try client.receiveAll(), as: UTF8.self).contains("hello"))
        try expectAlive(server)
    }

    @Test func halfClosedSocketsAreAnsweredAndClosed() throws {
        let server = try TestServer()
        let whole = try RawClient(port: server.port)
        whole.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        whole.finishSending()
        #expect(String(decoding: try whole.receiveAll(), as: UTF8.self).hasSuffix("hello you\n"))
        for part in ["GET /hel", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"] {
            let client = try RawClient(port: server.port)
            client.send(part)
            client.finishSending()
            #expect(!String(decoding: try client.receiveAll(), as: UTF8.self).contains(" 200 "))
        }
        try expectAlive(server)
    }

    /// More connections than there may be: the later ones wait, and are served when the idle ones have had their time.
    @Test func floodsOnlyDelay() throws {
        let server = try TestServer(
            limits: limits { limits in
                limits.connections = 8
                limits.timeout = .milliseconds(600)
            })
        let flood = try (0..<40).map { _ in try RawClient(port: server.port) }
        try expectAlive(server)
        for client in flood { #expect(try client.receiveAll().isEmpty) }
        try expectAlive(server)
    }

    /// Idle connections have long, but not while others wait for their places.
    @Test func idleOnesMakeRoom() throws {
        let server = try TestServer(
            limits: limits { limits in
                limits.connections = 8
                limits.timeout = .seconds(10)
            })
        let idle = try (0..<8).map { _ in try RawClient(port: server.port) }
        let client = try RawClient(port: server.port)
        client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.receive(within: .seconds(3)))
        #expect(try client.receiveReply().status == 200)
        for client in idle { #expect(try client.receiveAll().isEmpty) }
    }

    @Test func randomBytesDoNotCrash() throws {
        let server = try TestServer(limits: limits())
        var generator = SeededGenerator(7)
        let valid = Array(
            "POST /echo?a=b%20c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".utf8)
        for _ in 0..<500 {
            var bytes = valid
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            let client = try RawClient(port: server.port)
            client.send(bytes)
            client.finishSending()
            _ = try client.receiveAll()
        }
        try expectAlive(server)
    }
}
