import Foundation
import HTTPServer
import TestSupport
import Testing

struct StreamTests {
    private func open(_ server: TestServer, receiveBuffer: Int32? = nil) throws -> (RawClient, ResponseStream) {
        let count = server.streams.all.count
        let client = try RawClient(port: server.port, receiveBuffer: receiveBuffer)
        client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
        let head = try client.receiveHead()
        #expect(head.status == 200 && head.headers["content-type"] == "text/event-stream")
        #expect(head.headers["cache-control"] == "no-cache" && head.headers["transfer-encoding"] == "chunked")
        #expect(eventually { server.streams.all.count > count })
        return (client, server.stream(count))
    }

    /// Each event arrives before the next is sent: the connection is suspended and resumed in between.
    @Test func eventsArriveOneByOne() throws {
        let server = try TestServer()
        let (client, stream) = try open(server)
        for index in 0..<300 {
            #expect(stream.send(ServerSentEvent(id: "\(index)", data: "event \(index)")))
            #expect(
                try String(decoding: client.receiveChunk(), as: UTF8.self) == "id: \(index)\ndata: event \(index)\n\n")
        }
        stream.finish()
        #expect(try client.receiveChunk().isEmpty)
        #expect(!stream.isOpen && !stream.send(ServerSentEvent(data: "late")))
        // The connection lives on.
        #expect(try client.get("/hello").text == "hello you\n")
    }

    /// From many threads at once, racing with the connection's own going to sleep.
    @Test func manySendersLoseNothing() throws {
        let server = try TestServer()
        let clients = try (0..<4).map { _ in try open(server).0 }
        let streams = server.streams.all
        let senders = Thread {
            DispatchQueue.concurrentPerform(iterations: 8) { sender in
                for index in 0..<200 {
                    for stream in streams { stream.send(ServerSentEvent(data: "\(sender) \(index)")) }
                }
            }
            for stream in streams { stream.finish() }
        }
        senders.start()
        for client in clients {
            var text: [UInt8] = []
            while case let chunk = try client.receiveChunk(), !chunk.isEmpty { text += chunk }
            let events = String(decoding: text, as: UTF8.self).split(separator: "\n").map { $0.dropFirst(6) }
            #expect(events.count == 1600)
            for sender in 0..<8 {
                let own = events.filter { $0.hasPrefix("\(sender) ") }.map { $0.dropFirst(2) }
                #expect(own == (0..<200).map { "\($0)" })
            }
        }
    }

    /// A client that does not read is cut off when its queue is full; others are served in the meantime.
    @Test func slowClientsAreCutOff() throws {
        var limits = Limits()
        limits.streamQueueBytes = 64 << 10
        let server = try TestServer(limits: limits)
        let (slow, slowStream) = try open(server, receiveBuffer: 4096)
        let (quick, quickStream) = try open(server)
        let event = ServerSentEvent(data: String(repeating: "x", count: 10_000))
        var sent = 0
        while slowStream.send(event), sent < 10_000 {
            sent += 1
            if sent.isMultiple(of: 20) {
                #expect(quickStream.send(ServerSentEvent(data: "\(sent)")))
                #expect(try String(decoding: quick.receiveChunk(), as: UTF8.self) == "data: \(sent)\n\n")
            }
        }
        #expect(sent < 10_000 && !slowStream.isOpen)
        // What the kernel had taken comes, then the end.
        var received = slow.buffer.count
        while (try? slow.receive()) == true { received = slow.buffer.count }
        #expect(received < sent * 11_000)
        #expect(quickStream.send(ServerSentEvent(data: "end")))
        #expect(try String(decoding: quick.receiveChunk(), as: UTF8.self) == "data: end\n\n")
    }

    @Test func eventsLargerThanTheQueueEndTheStream() throws {
        var limits = Limits()
        limits.streamQueueBytes = 1000
        let server = try TestServer(limits: limits)
        let (client, stream) = try open(server)
        #expect(!stream.send(ServerSentEvent(data: String(repeating: "x", count: 2000))))
        _ = try? client.receiveAll()
        #expect(try RawClient(port: server.port).get("/hello").status == 200)
    }

    @Test func silenceIsFilledAndGoneClientsAreNoticed() throws {
        var limits = Limits()
        limits.streamHeartbeat = .milliseconds(40)
        let server = try TestServer(limits: limits)
        let (client, stream) = try open(server)
        for _ in 0..<3 { #expect(try String(decoding: client.receiveChunk(), as: UTF8.self) == ":\n\n") }
        #expect(stream.isOpen)
        do {
            let (_, left) = try open(server)
            #expect(left.isOpen)
        }
        #expect(eventually { !server.stream(1).isOpen })
        #expect(stream.isOpen)
    }

    @Test(arguments: [
        (ServerSentEvent(data: ""), "data: \n\n"),
        (
            ServerSentEvent(id: "1\n2\u{0}", name: "na\rme", data: "a\nb\r\nc\rd\n"),
            "id: 12\nevent: name\ndata: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"
        ),
    ])
    func eventsAreWrittenAsTheStandardSays(event: ServerSentEvent, text: String) throws {
        let server = try TestServer()
        let (client, stream) = try open(server)
        stream.send(event)
        #expect(try String(decoding: client.receiveChunk(), as: UTF8.self) == text)
    }
}
