import Testing

@testable import Consumer

@Suite("The window: bounds and shares")
struct WindowGateTests {
    private func gate(requests: Int = 8, bytes: Int = 1000, partitions: Int) -> WindowGate<Int> {
        var gate = WindowGate<Int>(limits: .init(requests: requests, bytes: bytes))
        for partition in 0..<partitions { gate.add(partition) }
        return gate
    }

    @Test("a lone partition may take the whole window")
    func whole() {
        var gate = gate(partitions: 1)
        for taken in 0..<8 {
            #expect(gate.room(for: 0).requests == 8 - taken)
            gate.enter(0, bytes: 1)
        }
        #expect(gate.room(for: 0).requests == 0)
        gate.leave(0, bytes: 1)
        #expect(gate.room(for: 0).requests == 1)
    }

    @Test("one partition of several is held to its share and leaves the others alone")
    func share() {
        var gate = gate(partitions: 4)
        #expect(gate.share == 2)
        gate.enter(1, bytes: 1)
        gate.enter(1, bytes: 1)
        #expect(gate.room(for: 1).requests == 0)
        #expect(gate.room(for: 2).requests == 2)
        gate.leave(1, bytes: 1)
        #expect(gate.room(for: 1).requests == 1)
    }

    @Test("a share is never under a quarter of the window, and never nothing")
    func manyPartitions() {
        #expect(gate(requests: 256, partitions: 100).share == 64)
        #expect(gate(requests: 2, partitions: 100).share == 1)
        #expect(gate(requests: 256, partitions: 0).share == 256)
    }

    @Test("bytes fill the window too, for all")
    func bytes() {
        var gate = gate(bytes: 100, partitions: 2)
        gate.enter(0, bytes: 99)
        #expect(gate.room(for: 1).bytes == 1)
        gate.enter(0, bytes: 1)
        #expect(gate.room(for: 1).requests == 0)
        gate.leave(0, bytes: 99)
        #expect(gate.room(for: 1).bytes == 99)
    }

    @Test("a partition taken away leaves its places, and late departures change nothing")
    func removal() {
        var gate = gate(partitions: 2)
        for _ in 0..<4 { gate.enter(0, bytes: 10) }
        gate.enter(1, bytes: 10)
        gate.remove(0)
        #expect(gate.requests == 1)
        #expect(gate.bytes == 10)
        gate.leave(0, bytes: 10)
        #expect(gate.requests == 1)
        #expect(gate.room(for: 0).requests == 0)
        gate.add(0)
        #expect(gate.room(for: 0).requests == 4)
    }

    @Test("requests of one topic, however many, leave the other's room alone, in requests and bytes")
    func topics() {
        var gate = WindowGate<String>(
            limits: .init(requests: 180, bytes: 1800), topics: TopicWeights([("live", 8), ("bulk", 1)]))
        gate.add("bulk-0", topic: 1)
        // Alone it may have everything.
        #expect(gate.room(for: "bulk-0").requests == 180)
        for partition in ["bulk-1", "bulk-2"] { gate.add(partition, topic: 1) }
        gate.add("live-0", topic: 0)
        // Half is shared out, 80 and 10 of 180; the rest is anyone's.
        var bulk = 0
        while let partition = ["bulk-0", "bulk-1", "bulk-2"].first(where: { gate.room(for: $0).requests > 0 }) {
            gate.enter(partition, bytes: 10)
            bulk += 1
        }
        #expect(bulk == 100)
        #expect(gate.room(for: "live-0").requests == gate.share)
        #expect(gate.room(for: "live-0").bytes == 800)
        for _ in 0..<gate.share { gate.enter("live-0", bytes: 10) }
        gate.leave("bulk-0", bytes: 10)
        #expect(gate.room(for: "bulk-0").requests == 1)
        gate.remove("live-0")
        #expect(gate.room(for: "bulk-1").requests > 1)
    }
}
