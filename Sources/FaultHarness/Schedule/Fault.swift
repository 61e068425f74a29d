import TestSupport

/// One thing that goes wrong, and is put right again.
///
/// Whatever is left open (on whom, for how long) is drawn when the fault is made, so that a seed stands for one schedule.
protocol Fault: Sendable, CustomStringConvertible {
    init(on shape: ClusterShape, drawnFrom generator: inout SeededGenerator)

    /// Does it, and returns when it is put right as far as that is in the harness's hands. It blocks.
    /// - Throws: what keeps the harness itself from going on; what the workers do wrong is the ledger's to find.
    func strike(_ stage: Stage) throws
}

/// What there is to break.
struct ClusterShape: Sendable, Equatable {
    var workers: Int
    var brokers: Int
}

extension SeededGenerator {
    /// A whole number in the range. (Not the standard library's way to draw: a seed must mean the same with the next Swift.)
    mutating func draw(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(next() % UInt64(range.count))
    }

    /// Milliseconds, in steps of a tenth of a second.
    mutating func draw(tenthsOfSeconds range: ClosedRange<Int>) -> Duration { .milliseconds(100 * draw(range)) }
}

extension Duration {
    var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }

    /// `9.4 s`
    var text: String { "\((inSeconds * 10).rounded() / 10) s" }
}
