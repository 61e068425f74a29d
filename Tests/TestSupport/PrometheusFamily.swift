import Foundation

/// A metric as Prometheus' own client library reads it from the text that a program serves.
public struct PrometheusFamily: Decodable {
    public struct Sample: Decodable {
        public enum Value: Decodable, Equatable {
            case number(Double)
            /// `nan`, `inf` or `-inf`.
            case special(String)

            public init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                if let number = try? container.decode(Double.self) {
                    self = .number(number)
                } else {
                    self = .special(try container.decode(String.self))
                }
            }
        }

        public let name: String
        public let labels: [String: String]
        public let value: Value
    }

    public let type: String
    public let help: String
    public let samples: [Sample]

    /// The value of the one sample with that name (the family's own, or `…_total`, `…_count`) and those labels.
    public func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        let found = samples.filter { $0.name == name && $0.labels == labels }
        guard found.count == 1, case .number(let number) = found[0].value else { return nil }
        return number
    }

    /// All metrics of a text, by their names; a counter's is without its `_total`. Takes Python, and the network once.
    public static func parse(_ text: String) throws -> [String: PrometheusFamily] {
        let tools = SharedFiles.packageRoot.appendingPathComponent("Tests/Tools")
        let setup = try ChildProcess.run(tools.appendingPathComponent("prometheus-venv.sh"), [])
        let python = String(decoding: setup, as: UTF8.self).trimmingCharacters(in: .newlines)
        let output = try ChildProcess.run(
            URL(fileURLWithPath: python), [tools.appendingPathComponent("prometheus_samples.py").path],
            input: Data(text.utf8), environment: ["PYTHONUTF8": "1"])
        return try JSONDecoder().decode([String: PrometheusFamily].self, from: output)
    }
}
