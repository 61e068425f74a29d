import Synchronization
import Testing

@testable import Consumer

@Suite("Running beside each other, or alone") struct PoolGateTests {
    private final class Counts: Sendable {
        let beside = Atomic(0)
        let alone = Atomic(0)
        let violations = Atomic(0)
    }

    @Test("whoever is alone has nobody beside it, and everybody gets their turn")
    func exclusion() throws {
        let gate = PoolGate()
        let counts = Counts()
        let threads = ThreadGroup()
        try threads.start("gate", count: 4, stackBytes: 1 << 18) {
            for turn in 0..<500 {
                if turn % 5 == 0 {
                    gate.alone {
                        let others = counts.alone.add(1, ordering: .sequentiallyConsistent).oldValue
                        if others + counts.beside.load(ordering: .sequentiallyConsistent) > 0 {
                            counts.violations.add(1, ordering: .relaxed)
                        }
                        counts.alone.subtract(1, ordering: .sequentiallyConsistent)
                    }
                } else {
                    gate.together {
                        counts.beside.add(1, ordering: .sequentiallyConsistent)
                        if counts.alone.load(ordering: .sequentiallyConsistent) > 0 {
                            counts.violations.add(1, ordering: .relaxed)
                        }
                        counts.beside.subtract(1, ordering: .sequentiallyConsistent)
                    }
                }
            }
        }
        #expect(threads.waitUntilEnded(until: .now + .seconds(60)))
        #expect(counts.violations.load(ordering: .relaxed) == 0)
    }
}
