import Testing

@testable import FaultHarness

@Suite("Stalls")
struct StallTests {
    private let start = ContinuousClock.now

    private func at(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

    private func position(_ offset: Int64, partition: Int32 = 0) -> Position {
        Position(partition: partition, offset: offset)
    }

    private func sighting(_ offset: Int64, at seconds: Int, partition: Int32 = 0) -> ResultWatch.Sighting {
        ResultWatch.Sighting(time: at(seconds), request: position(offset, partition: partition), worker: "w")
    }

    @Test("time without answers counts while somebody waits")
    func longest() {
        let accepted = [position(0): at(0), position(1): at(1), position(2): at(20)]
        let sightings = [sighting(0, at: 2), sighting(1, at: 9), sighting(2, at: 21)]
        // From 9 to 20 nobody waited.
        #expect(Stalls.longest(accepted: accepted, sightings: sightings) == .seconds(7))
    }

    @Test("an answer that is seen before its request is known as accepted makes nobody wait")
    func early() {
        let accepted = [position(0): at(5), position(1): at(30)]
        #expect(
            Stalls.longest(accepted: accepted, sightings: [sighting(0, at: 4), sighting(1, at: 31)]) == .seconds(1))
    }

    @Test("gaps are those of each partition alone, within the span")
    func gaps() {
        let sightings = [
            sighting(0, at: 1), sighting(0, at: 2, partition: 1), sighting(1, at: 4), sighting(1, at: 8, partition: 1),
            sighting(2, at: 50),
        ]
        #expect(Stalls.longestGaps(in: at(0)...at(10), sightings: sightings) == [0: .seconds(3), 1: .seconds(6)])
    }
}
