import Foundation
import Inference

/// Prints captions as they come: results on standard output, errors on standard error, and where that is a terminal, how far the
/// work is.
final class CaptionPrinter {
    struct OutputFailure: Error, CustomStringConvertible {
        var description: String
    }

    private(set) var failures = 0
    private let json: Bool
    private var progress: ProgressLine

    init(json: Bool, total: Int) {
        self.json = json
        // Captions on the same terminal show by themselves how far the work is.
        progress = ProgressLine(
            total: total, isShown: isatty(STDERR_FILENO) == 1 && isatty(STDOUT_FILENO) == 0)
    }

    /// - Throws: where standard output cannot be written.
    func print(_ path: String, _ outcome: CaptionRun.Outcome) throws {
        if case .failure(let failure) = outcome {
            failures += 1
            progress.note("\(path): \(failure.code): \(failure.message)")
        }
        let line = json ? Self.json(path, outcome) : Self.text(path, outcome)
        do {
            if let line { try FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8)) }
        } catch {
            throw OutputFailure(description: "standard output cannot be written: \(error.localizedDescription)")
        }
        progress.advance()
    }

    func finish() { progress.finish() }

    /// Path and captions with tabs between; nothing for an image that failed.
    static func text(_ path: String, _ outcome: CaptionRun.Outcome) -> String? {
        guard case .success(let output) = outcome else { return nil }
        return ([path] + output.candidates.map(\.caption)).joined(separator: "\t")
    }

    /// One object, with the field names of the result message.
    static func json(_ path: String, _ outcome: CaptionRun.Outcome) -> String? {
        var line = Line(image: path, status: "ok")
        switch outcome {
        case .success(let output):
            line.caption = output.candidates.first?.caption
            line.candidates = output.candidates.map {
                Line.Candidate(caption: $0.caption, logProbability: $0.logProbability, score: $0.score)
            }
            line.timingsMs = Line.Timings(
                decode: rounded(output.decodeMilliseconds), encode: rounded(output.encodeMilliseconds),
                caption: rounded(output.captionMilliseconds))
        case .failure(let failure):
            line.status = "error"
            line.error = Line.Failure(code: failure.code, message: failure.message)
        }
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return (try? encoder.encode(line)).map { String(decoding: $0, as: UTF8.self) }
    }

    private struct Line: Encodable {
        struct Candidate: Encodable {
            var caption: String
            var logProbability: Float
            var score: Float
        }

        struct Timings: Encodable {
            var decode: Double
            var encode: Double
            var caption: Double
        }

        struct Failure: Encodable {
            var code: String
            var message: String
        }

        var image: String
        var status: String
        var caption: String?
        var candidates: [Candidate]?
        var timingsMs: Timings?
        var error: Failure?
    }

    private static func rounded(_ milliseconds: Double) -> Double { (milliseconds * 100).rounded() / 100 }
}
