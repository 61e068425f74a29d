import Synchronization

/// A number that only grows: how often something happened.
public final class Counter: Sendable {
    private let value = Atomic(0)

    init() {}

    /// - Parameter amount: not negative.
    public func increment(by amount: Int = 1) {
        precondition(amount >= 0, "a counter only grows")
        value.wrappingAdd(amount, ordering: .relaxed)
    }

    public var total: Int { value.load(ordering: .relaxed) }
}

/// A number that goes up and down: how much of something there is.
public final class Gauge: Sendable {
    private let bits = Atomic<UInt64>(0)

    init() {}

    public func record(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    /// Adds to the value, from any number of threads; a negative amount takes away.
    public func add(_ amount: Double) {
        var seen = bits.load(ordering: .relaxed)
        while true {
            let wanted = (Double(bitPattern: seen) + amount).bitPattern
            let (exchanged, original) = bits.weakCompareExchange(expected: seen, desired: wanted, ordering: .relaxed)
            if exchanged { return }
            seen = original
        }
    }

    public var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }
}

/// How often a measured value fell into each of some ranges, and the values' sum. What is observed is milliseconds of work,
/// so a lock is cheap enough, and it keeps count, sum and ranges of one moment.
public final class Histogram: Sendable {
    struct Observations {
        /// One for each bound, and the last for what is beyond; not cumulative.
        var counts: [Int]
        var sum = 0.0
    }

    /// The ranges' inclusive upper ends, ascending.
    let bounds: [Double]
    private let observations: Mutex<Observations>

    init(bounds: [Double]) {
        self.bounds = bounds
        observations = Mutex(Observations(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    /// NaN is beyond all bounds, as Prometheus has it.
    public func record(_ value: Double) {
        let index = bounds.firstIndex { value <= $0 } ?? bounds.count
        observations.withLock { observations in
            observations.counts[index] += 1
            observations.sum += value
        }
    }

    /// In seconds.
    public func record(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        record(Double(seconds) + Double(attoseconds) / 1e18)
    }

    var snapshot: Observations { observations.withLock { $0 } }

    /// Bounds from a millisecond to a minute, in seconds, each about 2.2 times the one before.
    public static let secondsBounds = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]
}

/// One metric for each combination of its labels' values.
///
/// Looking one up takes a lock and a hash; whoever counts often keeps what it looked up. Values come from few fixed sets or from
/// names that the program knows, never straight from input; in case they do, everything from the 1,000th combination on
/// is counted as one, whose values are all `other`.
public final class Labeled<Metric: Sendable>: Sendable {
    static var limit: Int { 1000 }

    let labels: [String]
    private let make: @Sendable () -> Metric
    private let metrics = Mutex<[[String]: Metric]>([:])

    init(labels: [String], make: @escaping @Sendable () -> Metric) {
        self.labels = labels
        self.make = make
    }

    /// The metric of these values, in the order in which the labels were declared; it is there from the first call on.
    public subscript(values: String...) -> Metric {
        precondition(values.count == labels.count, "a value for each of the labels \(labels)")
        return metrics.withLock { metrics in
            if let metric = metrics[values] { return metric }
            let key = metrics.count < Self.limit - 1 ? values : labels.map { _ in "other" }
            if let metric = metrics[key] { return metric }
            let metric = make()
            metrics[key] = metric
            return metric
        }
    }

    /// Forgets one, as when a partition has gone to another worker.
    public func remove(_ values: String...) {
        metrics.withLock { _ = $0.removeValue(forKey: values) }
    }

    var all: [(values: [String], metric: Metric)] {
        metrics.withLock { metrics in metrics.map { ($0.key, $0.value) } }
    }
}
