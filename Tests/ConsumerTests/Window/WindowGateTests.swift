import Testing

@testable import Consumer

@Suite("The window: bounds, pause and resume")
struct WindowGateTests {
    private func gate(requests: Int = 8, bytes: Int = 1000, partitions: Int) -> WindowGate<Int> {
        var gate = WindowGate<Int>(limits: .init(requests: requests, bytes: bytes))
        for partition in 0..<partitions { gate.add(partition) }
        return gate
    }

    @Test("a lone partition may take the whole window; then it pauses once, and resumes at half")
    func hysteresis() {
        var gate = gate(partitions: 1)
        for _ in 0..<7 { gate.enter(0, bytes: 1) }
        #expect(!gate.isFull(0))
        gate.enter(0, bytes: 1)
        #expect(gate.isFull(0))
        #expect(gate.pause(becauseOf: 0) == [0])
        #expect(gate.pause(becauseOf: 0) == [])
        for _ in 0..<3 {
            gate.leave(0, bytes: 1)
            #expect(gate.resume() == [])
        }
        gate.leave(0, bytes: 1)
        #expect(gate.resume() == [0])
        #expect(gate.resume() == [])
        #expect(!gate.hasPaused)
    }

    @Test("one partition of several is held to its share and leaves the others alone")
    func share() {
        var gate = gate(partitions: 4)
        #expect(gate.share == 2)
        gate.enter(1, bytes: 1)
        gate.enter(1, bytes: 1)
        #expect(gate.isFull(1))
        #expect(!gate.isFull(2))
        #expect(gate.pause(becauseOf: 1) == [1])
        #expect(gate.pause(becauseOf: 2) == [])
        gate.leave(1, bytes: 1)
        #expect(gate.resume() == [1])
    }

    @Test("a share is never under a quarter of the window, and never nothing")
    func manyPartitions() {
        #expect(gate(requests: 256, partitions: 100).share == 64)
        #expect(gate(requests: 2, partitions: 100).share == 1)
        #expect(gate(requests: 256, partitions: 0).share == 256)
    }

    @Test("bytes fill the window too, and pause all")
    func bytes() {
        var gate = gate(bytes: 100, partitions: 2)
        gate.enter(0, bytes: 99)
        #expect(!gate.isFull(1))
        gate.enter(0, bytes: 1)
        #expect(gate.isFull(1))
        #expect(gate.pause(becauseOf: 1).sorted() == [0, 1])
        gate.leave(0, bytes: 1)
        #expect(gate.resume() == [])
        gate.leave(0, bytes: 99)
        #expect(gate.resume().sorted() == [0, 1])
    }

    @Test("a partition taken away leaves its places, and comes back unpaused")
    func removal() {
        var gate = gate(partitions: 2)
        for _ in 0..<4 { gate.enter(0, bytes: 10) }
        gate.enter(1, bytes: 10)
        #expect(gate.pause(becauseOf: 0) == [0])
        gate.remove(0)
        #expect(gate.requests == 1)
        #expect(gate.bytes == 10)
        #expect(!gate.hasPaused)
        gate.leave(0, bytes: 10)
        #expect(gate.requests == 1)
        gate.add(0)
        gate.enter(0, bytes: 1)
        #expect(!gate.isFull(0))
        #expect(gate.resume() == [])
    }
}
