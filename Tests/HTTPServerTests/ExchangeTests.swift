import Testing

@testable import HTTPServer

struct ExchangeTests {
    private func core(_ change: (inout Limits) -> Void = { _ in }) -> ServerCore {
        var limits = Limits()
        change(&limits)
        let route = Route("POST", "/", maxBodyBytes: 100) { .text("\($0.body.count)") }
        return ServerCore(routes: [route], limits: limits, report: { _ in })
    }

    private func exchange(_ core: ServerCore) -> Exchange {
        Exchange(core: core, connection: Connection(descriptor: -1), target: Array("/".utf8))
    }

    private func receive(_ exchange: Exchange, _ count: Int) -> Bool {
        let step = [UInt8](repeating: 1, count: count).withUnsafeBytes { exchange.receive($0) }
        if case .proceed = step { return true }
        return false
    }

    private func status(_ step: Exchange.Step) -> Int {
        switch step {
        case .answer(let response), .answerAndClose(let response): response.status
        case .proceed, .abort: 0
        }
    }

    @Test func bodiesTogetherHaveALimit() {
        let core = core { $0.bodyBytesInMemory = 150 }
        let first = exchange(core)
        #expect(status(first.begin(method: "POST", headers: [("content-length", "100")])) == 0)
        #expect(receive(first, 99))
        do {
            let second = exchange(core)
            _ = second.begin(method: "POST", headers: [("transfer-encoding", "chunked")])
            #expect(receive(second, 50) && receive(second, 50))
            #expect(status(second.finish()) == 503)
        }
        do {
            let abandoned = exchange(core)
            _ = abandoned.begin(method: "POST", headers: [("transfer-encoding", "chunked")])
            #expect(receive(abandoned, 51))
        }
        #expect(receive(first, 1))
        #expect(status(first.finish()) == 200)
        let third = exchange(core)
        _ = third.begin(method: "POST", headers: [("content-length", "100")])
        #expect(receive(third, 100))
        #expect(status(third.finish()) == 200)
    }

    @Test func refusedBodiesAreReadToAPoint() {
        let core = core()
        let exchange = exchange(core)
        #expect(status(exchange.begin(method: "POST", headers: [("content-length", "1000000")])) == 0)
        #expect(receive(exchange, 1 << 20))
        #expect(!receive(exchange, 1))
        #expect(status(self.exchange(core).begin(method: "POST", headers: [("content-length", "2000000")])) == 413)
        let waiting = [("content-length", "101"), ("expect", "100-continue")]
        #expect(status(self.exchange(core).begin(method: "POST", headers: waiting)) == 413)
    }

    @Test(
        arguments: [
            ([:], .none), (["content-length": "0"], .none), (["content-length": "12"], .length(12)),
            (["transfer-encoding": "ChunKed"], .chunked),
        ] as [([String: String], BodyFraming)])
    func framings(headers: [String: String], expected: BodyFraming) throws {
        #expect(try BodyFraming(headers.map { ($0.key, $0.value) }) == expected)
    }
}
