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
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 290" font-family="sans-serif" font-size="11">
            <rect width="760" height="290" fill="#fff"/>
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

    private static let (width, height, top) = (300.0, 200.0, 40.0)

    /// The next of 1, 2 or 5 times a power of ten, so that at most five ticks reach `most`.
    static func tick(_ most: Double) -> Double {
        let power = pow(10, floor(log10(most / 5)))
        return [1, 2, 5].map { $0 * power }.first { $0 * 5 >= most } ?? 10 * power
    }

    private func plot(_ lines: [Line], title: String, left: Double, secondStage: Int?) -> String {
        let (width, height, top) = (Self.width, Self.height, Self.top)
        let largest = max(lines.flatMap { $0.values.compactMap(\.self) }.max() ?? 1, 1e-3)
        let tick = Self.tick(largest)
        let ticks = (largest / tick).rounded(.up)
        func x(_ index: Int) -> Double { left + width * (Double(index) + 0.5) / Double(max(records.count, 1)) }
        func y(_ value: Double) -> Double { top + height * (1 - value / (ticks * tick)) }
        func point(_ value: Double) -> String { String(format: "%.1f", value) }
        func text(_ x: Double, _ y: Double, _ text: String, _ more: String = "") -> String {
            "<text x=\"\(point(x))\" y=\"\(point(y))\"\(more)>\(text)</text>"
        }
        func path(_ path: String, _ colour: String, _ more: String = "") -> String {
            "<path d=\"\(path)\" fill=\"none\" stroke=\"\(colour)\"\(more)/>"
        }
        var parts = [text(left, 20, title, " font-size=\"13\"")]
        for value in stride(from: 0, through: ticks * tick * 1.001, by: tick) {
            parts.append(path("M\(point(left)) \(point(y(value)))h\(point(width))", value > 0 ? "#e4e4e4" : "#888"))
            parts.append(text(left - 5, y(value) + 4, String(format: "%g", value), " text-anchor=\"end\""))
        }
        for (index, record) in records.enumerated() where records.count <= 12 || index % (records.count / 10 + 1) == 0 {
            parts.append(text(x(index), top + height + 15, "\(record.epoch)", " text-anchor=\"middle\""))
        }
        parts.append(text(left + width, top + height + 32, "epoch", " text-anchor=\"end\""))
        if let secondStage, secondStage > 0 {
            let border = (x(secondStage) + x(secondStage - 1)) / 2
            parts.append(path("M\(point(border)) \(point(top))v\(point(height))", "#888", " stroke-dasharray=\"4 3\""))
            parts.append(text(border + 4, top - 4, "self-critical", " fill=\"#666\""))
        }
        for (place, line) in lines.enumerated() {
            let points = line.values.enumerated().compactMap { index, value in value.map { (x(index), y($0)) } }
            let corners = points.map { "\(point($0.0)),\(point($0.1))" }.joined(separator: " ")
            parts.append(
                "<polyline points=\"\(corners)\" fill=\"none\" stroke=\"\(line.colour)\" stroke-width=\"2\"/>")
            for (x, y) in points {
                parts.append("<circle cx=\"\(point(x))\" cy=\"\(point(y))\" r=\"3\" fill=\"\(line.colour)\"/>")
            }
            parts.append(text(left + 70 * Double(place), top + height + 32, line.name, " fill=\"\(line.colour)\""))
        }
        return parts.joined(separator: "\n")
    }

    private func number(_ value: Double) -> String { String(format: "%.4f", value) }
}
