/// Prometheus' exposition format: https://prometheus.io/docs/instrumenting/exposition_formats/, "Text-based format".
struct MetricsText {
    private(set) var output = ""

    mutating func write(_ name: String, _ family: MetricsRegistry.Family) {
        output += "# HELP \(name) \(Self.escaped(family.help, quotes: false))\n"
        output += "# TYPE \(name) \(family.kind.rawValue)\n"
        let samples = family.samples().sorted { $0.values.lexicographicallyPrecedes($1.values) }
        for (values, sample) in samples {
            let labels = Array(zip(family.labels, values))
            switch sample {
            case .number(let number): write(name, labels, number)
            case .histogram(let histogram): write(name, labels, histogram)
            }
        }
    }

    private mutating func write(_ name: String, _ labels: [(String, String)], _ histogram: Histogram) {
        let observations = histogram.snapshot
        var count = 0
        for (bound, inRange) in zip(histogram.bounds + [.infinity], observations.counts) {
            count += inRange
            write(name + "_bucket", labels + [("le", Self.number(bound))], Double(count))
        }
        write(name + "_sum", labels, observations.sum)
        write(name + "_count", labels, Double(count))
    }

    private mutating func write(_ name: String, _ labels: [(String, String)], _ value: Double) {
        output += name
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.0)=\"\(Self.escaped($0.1, quotes: true))\"" }
            output += "{\(pairs.joined(separator: ","))}"
        }
        output += " \(Self.number(value))\n"
    }

    /// As Go's ParseFloat reads it; whole numbers without a fraction.
    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int(exactly: value), abs(whole) < 1 << 53 { return String(whole) }
        return String(value)
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
