import Testing

@testable import Consumer

@Suite("A partition's lane: order of release and watermark")
struct PartitionLaneTests {
    private func lane(_ order: ReleaseOrder = .partition, offsets: [Int64]) -> PartitionLane<String> {
        var lane = PartitionLane<String>(order: order)
        for offset in offsets { #expect(lane.admit(offset: offset, bytes: Int(offset)) != nil) }
        return lane
    }

    @Test("answers leave in the order of arrival, whatever the order of completion and the gaps between offsets")
    func ordered() {
        var lane = lane(offsets: [7, 9, 40])
        #expect(lane.finish(2, with: "c") { _ in 1 }.isEmpty)
        #expect(lane.finish(1, with: "b") { _ in 1 }.isEmpty)
        #expect(lane.finish(0, with: "a") { _ in 1 }.map(\.answer) == ["a", "b", "c"])
        #expect(lane.watermark == nil)
        #expect(lane.acknowledge(1)?.bytes == 9)
        #expect(lane.watermark == nil)
        #expect(lane.acknowledge(0)?.bytes == 7)
        #expect(lane.watermark == 10)
        #expect(lane.acknowledge(2)?.bytes == 40)
        #expect(lane.watermark == 41)
        #expect(lane.count == 0)
    }

    @Test("every shuffle of completions and acknowledgements keeps the order and never passes an open request")
    func shuffles() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let offsets = (0..<150).reduce(into: [Int64]()) { list, _ in
                list.append((list.last ?? 0) + Int64.random(in: 1...5, using: &generator))
            }
            var lane = lane(offsets: offsets)
            var unfinished = Array(offsets.indices).shuffled(using: &generator)
            var sent: [Int] = []
            var acknowledged = Set<Int>()
            var released: [Int] = []
            while acknowledged.count < offsets.count {
                if let next = unfinished.popLast() {
                    let now = lane.finish(next, with: "\(next)") { _ in 1 }.map(\.sequence)
                    released += now
                    sent += now
                }
                if let index = sent.indices.randomElement(using: &generator), Bool.random(using: &generator) {
                    let sequence = sent.remove(at: index)
                    #expect(lane.acknowledge(sequence)?.bytes == Int(offsets[sequence]))
                    acknowledged.insert(sequence)
                }
                let contiguous = offsets.indices.prefix { acknowledged.contains($0) }.count
                #expect(lane.watermark == (contiguous == 0 ? nil : offsets[contiguous - 1] + 1))
            }
            #expect(released == Array(offsets.indices))
        }
    }

    @Test("without order, answers leave at once, and the watermark still waits")
    func unordered() {
        var lane = lane(.none, offsets: [1, 2, 3])
        #expect(lane.finish(2, with: "c") { _ in 1 }.map(\.answer) == ["c"])
        #expect(lane.finish(1, with: "b") { _ in 1 }.map(\.answer) == ["b"])
        #expect(lane.acknowledge(2)?.bytes == 3)
        #expect(lane.acknowledge(1)?.bytes == 2)
        #expect(lane.watermark == nil)
        #expect(lane.finish(0, with: "a") { _ in 1 }.map(\.answer) == ["a"])
        #expect(lane.acknowledge(0)?.bytes == 1)
        #expect(lane.watermark == 4)
    }

    @Test("a failure's place is free only when both its messages are acknowledged")
    func twoMessages() {
        var lane = lane(offsets: [5])
        #expect(lane.finish(0, with: "failed") { _ in 2 }.count == 1)
        #expect(lane.acknowledge(0)?.bytes == nil)
        // The same message again, produced twice: the other one is still not safe.
        #expect(lane.acknowledge(0)?.bytes == nil)
        #expect(lane.watermark == nil)
        #expect(lane.acknowledge(0, message: 1)?.bytes == 5)
        #expect(lane.watermark == 6)
        #expect(lane.acknowledge(0)?.bytes == nil)
    }

    @Test("records at or below the highest offset are ignored, and so are second answers")
    func repeats() {
        var lane = lane(offsets: [5, 8])
        #expect(lane.admit(offset: 8, bytes: 1) == nil)
        #expect(lane.admit(offset: 6, bytes: 1) == nil)
        #expect(lane.admit(offset: 9, bytes: 1) == 2)
        #expect(lane.finish(0, with: "a") { _ in 1 }.count == 1)
        #expect(lane.finish(0, with: "again") { _ in 1 }.isEmpty)
        #expect(lane.finish(77, with: "nothing") { _ in 1 }.isEmpty)
    }

    @Test("a closed lane starts nothing, and is settled when what ran before the first queued request is acknowledged")
    func closing() {
        var lane = lane(offsets: [1, 2, 3, 4])
        #expect(lane.start(0) == true)
        #expect(lane.start(1) == true)
        #expect(lane.start(3) == true)
        lane.close()
        #expect(lane.start(2) == false)
        #expect(!lane.isSettled)
        for sequence in [1, 0] {
            for released in lane.finish(sequence, with: "x", messages: { _ in 1 }) {
                #expect(!lane.isSettled)
                _ = lane.acknowledge(released.sequence)
            }
        }
        // Request 3 is still running, but behind request 2, which never starts: nobody waits for it.
        #expect(lane.isSettled)
        #expect(lane.watermark == 3)
    }

    @Test("a new producer gets what the old one had not delivered, in order")
    func resending() {
        var lane = lane(offsets: [1, 2, 3, 4])
        for sequence in [0, 1, 2] { #expect(lane.finish(sequence, with: "\(sequence)") { _ in 2 }.count == 1) }
        #expect(lane.acknowledge(1)?.bytes == nil)
        #expect(lane.acknowledge(1, message: 1)?.bytes == 2)
        #expect(lane.acknowledge(0)?.bytes == nil)
        #expect(lane.resend { _ in 2 }.map(\.answer) == ["0", "2"])
        #expect(lane.acknowledge(0, message: 1)?.bytes == nil)
        #expect(lane.acknowledge(0)?.bytes == 1)
        #expect(lane.watermark == 3)
    }
}
