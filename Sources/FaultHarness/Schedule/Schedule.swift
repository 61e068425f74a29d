import TestSupport

/// What goes wrong in one run, when, and with whom: the same for the same seed.
struct Schedule: Sendable {
    struct Entry: Sendable {
        /// After the fault before this one was put right.
        var gap: Duration
        var kind: FaultKind
        var fault: any Fault
    }

    let entries: [Entry]

    /// What all of it takes by and large: by this the load is stretched over the run.
    var typicalDuration: Duration {
        entries.reduce(.zero) { $0 + $1.gap + $1.kind.typicalDuration }
    }

    /// Draws `count` faults. Each kind comes once before any comes twice.
    /// - Parameter kinds: those to draw from; the ones that are not possible on this shape are left out.
    init(seed: UInt64, count: Int, kinds: [FaultKind], shape: ClusterShape) {
        var generator = SeededGenerator(seed)
        let possible = kinds.filter { $0.isPossible(on: shape) }
        var deck: [FaultKind] = []
        var entries: [Entry] = []
        while entries.count < count, !possible.isEmpty {
            if deck.isEmpty { deck = possible }
            let kind = deck.remove(at: generator.draw(0...deck.count - 1))
            let gap = generator.draw(tenthsOfSeconds: 20...60)
            entries.append(
                Entry(gap: gap, kind: kind, fault: kind.fault.init(on: shape, drawnFrom: &generator)))
        }
        self.entries = entries
    }
}
