import Foundation
import HTTPServer
import Synchronization
import TestSupport
import Testing

struct StopTests {
    /// A gate that handlers wait at, on the server's threads.
    private final class Gate: Sendable {
        private let semaphore = DispatchSemaphore(value: 0)
        private let waiting = Atomic(0)
        var count: Int { waiting.load(ordering: .sequentiallyConsistent) }

        func wait() {
            waiting.wrappingAdd(1, ordering: .sequentiallyConsistent)
            semaphore.wait()
        }

        func open() { semaphore.signal() }
    }

    @Test func requestsUnderWayAreAnswered() throws {
        let gate = Gate()
        let server = try TestServer(
            threads: 2,
            routes: [
                Route("GET", "/slow") { _ in
                    gate.wait()
                    return .text("done")
                }
            ])
        let idle = try RawClient(port: server.port)
        #expect(try idle.get("/hello").status == 200)
        let streaming = try RawClient(port: server.port)
        streaming.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = try streaming.receiveHead()
        #expect(eventually { server.streams.all.count == 1 })
        server.stream().send(ServerSentEvent(data: "last"))
        let slow = try RawClient(port: server.port)
        slow.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(eventually { gate.count == 1 })

        let stopped = Atomic(false)
        let stopping = Thread {
            server.server.stop(within: .seconds(20))
            stopped.store(true, ordering: .sequentiallyConsistent)
        }
        stopping.start()
        #expect(eventually { (try? RawClient(port: server.port)) == nil })
        gate.open()
        let reply = try slow.receiveReply()
        #expect(reply.text == "done" && reply.headers["connection"]?.lowercased() == "close")
        #expect(try slow.receiveAll().isEmpty && idle.receiveAll().isEmpty)
        #expect(try String(decoding: streaming.receiveChunk(), as: UTF8.self) == "data: last\n\n")
        #expect(try streaming.receiveChunk().isEmpty)
        #expect(eventually { stopped.load(ordering: .sequentiallyConsistent) })
        #expect(!server.stream().isOpen)
    }

    /// libmicrohttpd's own way of refusing connections ends the process in one of some hundred of these rounds.
    @Test func stoppingUnderLoadIsSafe() throws {
        let port = Atomic(0)
        let isOver = Atomic(false)
        let clients = DispatchGroup()
        for _ in 0..<3 {
            clients.enter()
            Thread.detachNewThread {
                while !isOver.load(ordering: .sequentiallyConsistent) {
                    let client = try? RawClient(port: port.load(ordering: .sequentiallyConsistent))
                    while let client, (try? client.get("/hello").status) == 200 {}
                }
                clients.leave()
            }
        }
        for _ in 0..<500 {
            let server = try TestServer(threads: 4)
            port.store(server.port, ordering: .sequentiallyConsistent)
            #expect(try RawClient(port: server.port).get("/hello").status == 200)
            server.server.stop(within: .seconds(20))
        }
        isOver.store(true, ordering: .sequentiallyConsistent)
        clients.wait()
    }

    /// Neither half a request nor a client that does not read holds the stop beyond its time.
    @Test func stoppingHasItsTime() throws {
        let server = try TestServer()
        let half = try RawClient(port: server.port)
        half.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
        let stuck = try RawClient(port: server.port, receiveBuffer: 4096)
        stuck.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try stuck.receive())
        let streaming = try RawClient(port: server.port)
        streaming.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = try streaming.receiveHead()
        let start = ContinuousClock.now
        server.server.stop(within: .milliseconds(100))
        server.server.stop(within: .seconds(100))
        #expect(ContinuousClock.now - start < .seconds(20))
        #expect(throws: RawClient.Failure.self) { try RawClient(port: server.port) }
    }

    /// What is forgotten stops by itself and leaves nothing behind: descriptors and threads are those of before.
    @Test func forgettingStops() throws {
        weak var last: TestServer?
        for _ in 0..<20 {
            let server = try TestServer(threads: 2)
            let client = try RawClient(port: server.port)
            client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try client.receiveHead()
            last = server
        }
        #expect(last == nil)
    }
}
