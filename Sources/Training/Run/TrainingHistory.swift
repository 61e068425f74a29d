import Evaluation
import Foundation

/// The epochs of a run as a table and as a picture.
public struct TrainingHistory: Sendable {
    public var records: [EpochRecord]

    public init(records: [EpochRecord]) { self.records = records }

    private static let metrics: [Metric] = [.bleu1, .bleu2, .bleu3, .bleu4, .lengthRatio, .rougeL, .ciderD]

    /// Comma-separated values with a header; a field is empty where nothing was measured.
    public func csv() -> String {
        let header =
            ["stage", "epoch", "loss", "reward", "learning_rate", "beam", "alpha"]
            + Self.metrics.map { $0.rawValue.lowercased().replacing(" ", with: "_").replacing("-", with: "_") }
            + ["dangling", "seconds", "words_per_second"]
        let rows = records.map(row)
        return ([header] + rows).map { $0.joined(separator: ",") + "\n" }.joined()
    }

    private func row(_ record: EpochRecord) -> [String] {
        let development = record.development
        var fields = [record.stage.rawValue, "\(record.epoch)", number(record.loss)]
        fields.append(record.reward.map(number) ?? "")
        fields.append("\(record.learningRate)")
        fields.append(development.map { "\($0.beam)" } ?? "")
        fields.append(development.map { "\($0.alpha)" } ?? "")
        for metric in Self.metrics { fields.append(development.map { number($0[metric]) } ?? "") }
        fields.append(development.map { number($0.dangling) } ?? "")
        fields.append(String(format: "%.1f", record.seconds))
        fields.append(String(format: "%.0f", record.wordsPerSecond))
        return fields
    }

    /// Loss, and the scores on the development images, over the epochs: two plots in one SVG picture.
    public func svg() -> String {
        let loss = [Line(name: "loss", colour: "#b5322c", values: records.map(\.loss))]
        let scores = [
            Line(name: "CIDEr-D", colour: "#1f6fb2", values: records.map { $0.development?[.ciderD] }),
            Line(name: "BLEU-1", colour: "#3a8f3a", values: records.map { $0.development?[.bleu1] }),
            Line(name: "BLEU-4", colour: "#8a5ab5", values: records.map { $0.development?[.bleu4] }),
        ]
        let second = records.firstIndex { $0.stage == .selfCritical }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 300" font-family="sans-serif" font-size="11">
            <rect width="760" height="300" fill="#fff"/>
            \(plot(loss, title: "Training loss", left: 50, secondStage: second))
            \(plot(scores, title: "Development scores", left: 430, secondStage: second))
            </svg>

            """
    }

    private struct Line {
        var name: String
        var colour: String
        var values: [Double?]
    }

    private static let (width, height, top) = (300.0, 220.0, 40.0)

    private func plot(_ lines: [Line], title: String, left: Double, secondStage: Int?) -> String {
        let (width, height, top) = (Self.width, Self.height, Self.top)
        let values = lines.flatMap { $0.values.compactMap(\.self) }
        let (least, most) = (min(values.min() ?? 0, 0), max(values.max() ?? 1, 1e-6))
        func x(_ index: Int) -> Double { left + width * (Double(index) + 0.5) / Double(max(records.count, 1)) }
        func y(_ value: Double) -> Double { top + height * (1 - (value - least) / (most - least)) }
        func point(_ value: Double) -> String { String(format: "%.1f", value) }
        var parts = [
            "<text x=\"\(point(left))\" y=\"20\" font-size=\"13\">\(title)</text>",
            "<path d=\"M\(point(left)) \(point(top))v\(point(height))h\(point(width))\" fill=\"none\" stroke=\"#888\"/>",
        ]
        for tick in 0...4 {
            let value = least + (most - least) * Double(tick) / 4
            parts.append(
                "<text x=\"\(point(left - 5))\" y=\"\(point(y(value) + 4))\" text-anchor=\"end\">"
                    + "\(String(format: "%.2f", value))</text>")
        }
        for (index, record) in records.enumerated() where records.count <= 12 || index % (records.count / 10 + 1) == 0 {
            parts.append(
                "<text x=\"\(point(x(index)))\" y=\"\(point(top + height + 15))\" text-anchor=\"middle\">"
                    + "\(record.epoch)</text>")
        }
        if let secondStage, secondStage > 0 {
            let border = (x(secondStage) + x(secondStage - 1)) / 2
            parts.append(
                "<path d=\"M\(point(border)) \(point(top))v\(point(height))\" stroke=\"#bbb\" stroke-dasharray=\"4 3\"/>"
            )
        }
        for (place, line) in lines.enumerated() {
            let points = line.values.enumerated().compactMap { index, value in
                value.map { "\(point(x(index))),\(point(y($0)))" }
            }
            parts.append(
                "<polyline points=\"\(points.joined(separator: " "))\" fill=\"none\" stroke=\"\(line.colour)\" "
                    + "stroke-width=\"2\"/>")
            parts.append(
                "<text x=\"\(point(left + 100 * Double(place)))\" y=\"\(point(top + height + 32))\" "
                    + "fill=\"\(line.colour)\">\(line.name)</text>")
        }
        return parts.joined(separator: "\n")
    }

    private func number(_ value: Double) -> String { String(format: "%.4f", value) }
}
