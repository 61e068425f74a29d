/// Where a server listens.
public struct HostAndPort: Sendable, Equatable, CustomStringConvertible {
    public let host: String
    public let port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// `key=value`, as in `-X linger.ms=5`.
public struct KeyValue: Sendable, Equatable {
    public let key: String
    public let value: String

    public init(key: String, value: String) {
        self.key = key
        self.value = value
    }
}

/// A name with its share, as in `a=8,b=1`; without a share it is 1.
public struct WeightedName: Sendable, Equatable {
    public let name: String
    public let weight: Int

    public init(name: String, weight: Int) {
        self.name = name
        self.weight = weight
    }
}

extension ValueFormat where Value == HostAndPort {
    /// `HOST:PORT` with a port of 0 to 65535; an IPv6 address stands in brackets.
    public static var hostAndPort: Self {
        ValueFormat { text throws(UsageError) in
            guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
                (0...65_535).contains(port)
            else { throw UsageError("'\(text)' is not HOST:PORT; give for example 127.0.0.1:8080") }
            var host = text[..<colon]
            if host.hasPrefix("["), host.hasSuffix("]") {
                host = host.dropFirst().dropLast()
            } else if host.contains(":") {
                throw UsageError("'\(text)': an IPv6 address stands in brackets; give for example [::1]:8080")
            }
            if host.isEmpty { throw UsageError("'\(text)' has no host; give for example 127.0.0.1:\(port)") }
            return HostAndPort(host: String(host), port: port)
        }
    }
}

extension ValueFormat where Value == KeyValue {
    /// `KEY=VALUE`; the value may be empty and may hold further `=`.
    public static var keyValue: Self {
        ValueFormat { text throws(UsageError) in
            guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
                throw UsageError("'\(text)' is not KEY=VALUE")
            }
            return KeyValue(key: String(text[..<equals]), value: String(text[text.index(after: equals)...]))
        }
    }
}

extension ValueFormat where Value == [WeightedName] {
    /// `NAME[=WEIGHT],…` with weights of 1 to 1000, each name once.
    public static var weightedNames: Self {
        ValueFormat { text throws(UsageError) in
            var names: [WeightedName] = []
            for part in text.split(separator: ",", omittingEmptySubsequences: false) {
                let pieces = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                let weight = pieces.count == 2 ? Int(pieces[1]) : 1
                guard let name = pieces.first.map(String.init), !name.isEmpty, let weight,
                    (1...1000).contains(weight)
                else { throw UsageError("'\(part)' is not NAME or NAME=WEIGHT with a weight of 1 to 1000") }
                if names.contains(where: { $0.name == name }) { throw UsageError("'\(name)' is named twice") }
                names.append(WeightedName(name: name, weight: weight))
            }
            return names
        }
    }
}
