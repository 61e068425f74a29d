import Evaluation
import Foundation

/// What `evaluate` prints of one captioner.
struct EvaluationText {
    private let result: EvaluationResult

    init(_ result: EvaluationResult) { self.result = result }

    func table() -> String {
        let rows = Metric.allCases.compactMap { metric in
            result.score(metric).map { score in
                [
                    metric.rawValue, Self.number(score.value), Self.number(score.interval.lower),
                    Self.number(score.interval.upper),
                ]
            }
        }
        let words = result.images.reduce(0) { $0 + $1.scores.bleu.length }
        let perCaption = String(format: "%.1f", Double(words) / Double(result.images.count))
        return
            (["\(result.captioner)", "\(result.images.count) images, \(perCaption) words a caption", ""]
            + TextTable(header: ["", "score", "95% from", "to"], rows: rows, alignedRight: [1, 2, 3]).lines()
            + ["", "signature \(result.signature)"]).joined(separator: "\n")
    }

    func json() throws -> String {
        struct Summary: Encodable {
            var captioner: String
            var images: Int
            var signature: String
            var bootstrap: Bootstrap
            var scores: [String: EvaluationResult.Score]
        }
        return try Self.encode(
            Summary(
                captioner: result.captioner, images: result.images.count, signature: result.signature,
                bootstrap: result.bootstrap, scores: result.scores))
    }

    static func number(_ value: Double) -> String { String(format: "%.4f", value) }

    static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

/// What `evaluate --compare` prints.
struct ComparisonText {
    var first: EvaluationResult
    var second: EvaluationResult
    var bootstrap: Bootstrap
    var differences: [Metric: Bootstrap.Difference]

    func table() -> String {
        let rows = Metric.allCases.compactMap { metric in
            differences[metric].map { row in
                [metric.rawValue]
                    + [row.first, row.second, row.difference, row.interval.lower, row.interval.upper, row.pValue]
                    .map(EvaluationText.number)
            }
        }
        let header = ["", "A", "B", "B − A", "95% from", "to", "p"]
        return
            (["A  \(first.captioner)", "B  \(second.captioner)", "\(first.images.count) images", ""]
            + TextTable(header: header, rows: rows, alignedRight: Set(1...6)).lines()
            + [
                "",
                "p: how probable such a difference is between equally good captioners "
                    + "(paired bootstrap, \(bootstrap.resamples) resamples, seed \(bootstrap.seed))",
                "signature \(first.signature)",
            ]).joined(separator: "\n")
    }

    func json() throws -> String {
        struct Summary: Encodable {
            var first: String
            var second: String
            var images: Int
            var signature: String
            var bootstrap: Bootstrap
            var differences: [String: Bootstrap.Difference]
        }
        return try EvaluationText.encode(
            Summary(
                first: first.captioner, second: second.captioner, images: first.images.count,
                signature: first.signature,
                bootstrap: bootstrap,
                differences: Dictionary(uniqueKeysWithValues: differences.map { ($0.key.rawValue, $0.value) })))
    }
}
