/// How one value is written: reads it from text, or says what is wrong and what would be right.
public struct ValueFormat<Value: Sendable>: Sendable {
    /// Throws a `UsageError` such as "'abc' is not a whole number; give 1 to 256", without the flag's name.
    public let parse: @Sendable (String) throws(UsageError) -> Value

    public init(_ parse: @escaping @Sendable (String) throws(UsageError) -> Value) { self.parse = parse }
}

extension ValueFormat where Value == String {
    /// Any text but the empty one.
    public static var string: Self {
        ValueFormat { text throws(UsageError) in
            if text.isEmpty { throw UsageError("the value is empty") }
            return text
        }
    }

    /// One of the texts given.
    public static func choice(_ choices: [String]) -> Self {
        ValueFormat { text throws(UsageError) in
            if choices.contains(text) { return text }
            throw UsageError("'\(text)' is not known; give \(choices.joined(separator: ", "))")
        }
    }
}

extension ValueFormat where Value == Bool {
    /// true, yes, on, 1 and false, no, off, 0.
    public static var boolean: Self {
        ValueFormat { text throws(UsageError) in
            switch text.lowercased() {
            case "true", "yes", "on", "1": return true
            case "false", "no", "off", "0": return false
            default: throw UsageError("'\(text)' is neither true nor false")
            }
        }
    }
}

extension ValueFormat where Value == Int {
    /// A whole number within the range.
    public static func integer(_ range: ClosedRange<Int>) -> Self {
        ValueFormat { text throws(UsageError) in
            guard let number = Int(text) else {
                throw UsageError("'\(text)' is not a whole number; give \(range.lowerBound) to \(range.upperBound)")
            }
            guard range.contains(number) else {
                throw UsageError("\(number) is out of range; give \(range.lowerBound) to \(range.upperBound)")
            }
            return number
        }
    }

    /// A number of bytes with a unit: `500`, `64KiB`, `64MiB`, `2GiB`, `10MB`.
    public static func byteCount(_ range: ClosedRange<Int>) -> Self {
        let units = [
            ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("kB", 1000), ("MB", 1_000_000),
            ("GB", 1_000_000_000), ("B", 1), ("", 1),
        ]
        return ValueFormat { text throws(UsageError) in
            let digits = text.prefix { $0.isASCII && $0.isNumber }
            let unit = units.first { $0.0.lowercased() == text.dropFirst(digits.count).lowercased() }
            guard let number = Int(digits), let unit else {
                throw UsageError("'\(text)' is not a number of bytes; give a number such as 64MiB")
            }
            let (bytes, overflow) = number.multipliedReportingOverflow(by: unit.1)
            guard !overflow, range.contains(bytes) else {
                throw UsageError("'\(text)' is out of range; give \(range.lowerBound) to \(range.upperBound) bytes")
            }
            return bytes
        }
    }
}

extension ValueFormat where Value == Double {
    /// A finite number within the range.
    public static func number(_ range: ClosedRange<Double>) -> Self {
        ValueFormat { text throws(UsageError) in
            guard let number = Double(text), number.isFinite else {
                throw UsageError("'\(text)' is not a number; give \(range.lowerBound) to \(range.upperBound)")
            }
            guard range.contains(number) else {
                throw UsageError("\(text) is out of range; give \(range.lowerBound) to \(range.upperBound)")
            }
            return number
        }
    }
}

extension ValueFormat where Value == Duration {
    /// A length of time with its unit: `500ms`, `2s`, `1.5m`, `1h`, `7d`.
    public static func duration(_ range: ClosedRange<Duration>) -> Self {
        let units = ["ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400]
        return ValueFormat { text throws(UsageError) in
            let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            guard let number = Double(digits), let unit = units[String(text.dropFirst(digits.count))],
                number * unit < 1e9
            else { throw UsageError("'\(text)' is not a length of time; give a number such as 500ms, 2s or 1m") }
            let duration = Duration.milliseconds((number * unit * 1000).rounded())
            guard range.contains(duration) else {
                throw UsageError("'\(text)' is out of range; give \(range.lowerBound) to \(range.upperBound)")
            }
            return duration
        }
    }

    /// Any length of time up to a year.
    public static var duration: Self { duration(.zero ... .seconds(366 * 86_400)) }
}

extension ValueFormat where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
    /// One of an enumeration's raw values.
    public static var choice: Self {
        ValueFormat { text throws(UsageError) in
            if let value = Value(rawValue: text) { return value }
            let choices = Value.allCases.map(\.rawValue).joined(separator: ", ")
            throw UsageError("'\(text)' is not known; give \(choices)")
        }
    }
}
