import Synchronization

/// The metrics of one program, each declared once with its meaning, and their Prometheus text.
///
/// ```swift
/// struct WorkerMetrics {
///     let registry = MetricsRegistry()
///     let results: Labeled<Counter>
///     let encodeSeconds: Histogram
///
///     init() {
///         results = registry.counter("kaption_answers_total", "Answers", labels: ["code"])
///         encodeSeconds = registry.histogram("kaption_stage_seconds", "Time in a stage, in seconds")
///     }
/// }
/// ```
///
/// Names follow Prometheus: letters, digits and `_`, base units, `_total` at the end of a counter's. A wrong name or one that
/// is declared twice is a programmer's error, and stops the program.
public final class MetricsRegistry: Sendable {
    /// A number of a metric that is read when it is asked for: the values of its labels, and the number.
    public typealias Reading = (labels: [String], value: Double)

    struct Family: Sendable {
        enum Kind: String { case counter, gauge, histogram }
        let kind: Kind
        let help: String
        let labels: [String]
        let samples: @Sendable () -> [(values: [String], sample: Sample)]
    }

    enum Sample: Sendable {
        case number(Double)
        case histogram(Histogram)
    }

    private let families = Mutex<[String: Family]>([:])

    public init() {}

    public func counter(_ name: String, _ help: String) -> Counter {
        let counter = Counter()
        declare(name, .counter, help, []) { [([], .number(Double(counter.total)))] }
        return counter
    }

    public func counter(_ name: String, _ help: String, labels: [String]) -> Labeled<Counter> {
        let counters = Labeled(labels: labels) { Counter() }
        declare(name, .counter, help, labels) { counters.all.map { ($0.values, .number(Double($0.metric.total))) } }
        return counters
    }

    public func gauge(_ name: String, _ help: String) -> Gauge {
        let gauge = Gauge()
        declare(name, .gauge, help, []) { [([], .number(gauge.value))] }
        return gauge
    }

    public func gauge(_ name: String, _ help: String, labels: [String]) -> Labeled<Gauge> {
        let gauges = Labeled(labels: labels) { Gauge() }
        declare(name, .gauge, help, labels) { gauges.all.map { ($0.values, .number($0.metric.value)) } }
        return gauges
    }

    /// - Parameter bounds: ascending and finite; the range beyond the last is added.
    public func histogram(
        _ name: String, _ help: String, bounds: [Double] = Histogram.secondsBounds
    ) -> Histogram {
        Self.check(bounds)
        let histogram = Histogram(bounds: bounds)
        declare(name, .histogram, help, []) { [([], .histogram(histogram))] }
        return histogram
    }

    public func histogram(
        _ name: String, _ help: String, bounds: [Double] = Histogram.secondsBounds, labels: [String]
    ) -> Labeled<Histogram> {
        Self.check(bounds)
        let histograms = Labeled(labels: labels) { Histogram(bounds: bounds) }
        declare(name, .histogram, help, labels) { histograms.all.map { ($0.values, .histogram($0.metric)) } }
        return histograms
    }

    /// A gauge that is read when the text is asked for, on the thread that asks: the length of a queue, say.
    public func gauge(
        _ name: String, _ help: String, labels: [String] = [], read: @escaping @Sendable () -> [Reading]
    ) {
        declare(name, .gauge, help, labels) { read().map { ($0.labels, .number($0.value)) } }
    }

    /// A counter that something else keeps, as a library in its statistics; read when the text is asked for.
    public func counter(
        _ name: String, _ help: String, labels: [String] = [], read: @escaping @Sendable () -> [Reading]
    ) {
        declare(name, .counter, help, labels) { read().map { ($0.labels, .number($0.value)) } }
    }

    /// All metrics as Prometheus reads them (exposition format, text, version 0.0.4), ordered by name and labels; served as
    /// `textContentType`.
    public func text() -> String {
        var text = MetricsText()
        for (name, family) in families.withLock({ $0.sorted { $0.key < $1.key } }) { text.write(name, family) }
        return text.output
    }

    public static let textContentType = "text/plain; version=0.0.4; charset=utf-8"

    private func declare(
        _ name: String, _ kind: Family.Kind, _ help: String, _ labels: [String],
        _ samples: @escaping @Sendable () -> [(values: [String], sample: Sample)]
    ) {
        precondition(Self.isName(name), "metric name \(name)")
        precondition(labels.allSatisfy { Self.isName($0) && !$0.hasPrefix("__") && $0 != "le" }, "labels \(labels)")
        precondition(Set(labels).count == labels.count, "labels \(labels)")
        families.withLock { families in
            precondition(families[name] == nil, "metric \(name) is declared twice")
            families[name] = Family(kind: kind, help: help, labels: labels, samples: samples)
        }
    }

    private static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, first > UInt8(ascii: "9") else { return false }
        return name.utf8.allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        }
    }

    private static func check(_ bounds: [Double]) {
        precondition(bounds.allSatisfy(\.isFinite), "bounds \(bounds)")
        precondition(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }, "bounds \(bounds)")
    }
}
