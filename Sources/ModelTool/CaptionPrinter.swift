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
    private let total: Int
    private let showsProgress: Bool
    private let start = ContinuousClock.now
    private var done = 0
    private var lastShown = ContinuousClock.now

    init(json: Bool, total: Int) {
        self.json = json
        self.total = total
        // Captions on the same terminal show by themselves how far the work is.
        showsProgress = isatty(STDERR_FILENO) == 1 && isatty(STDOUT_FILENO) == 0
    }

    /// - Throws: where standard output cannot be written.
    func print(_ path: String, _ outcome: CaptionRun.Outcome) throws {
        done += 1
        if case .failure(let failure) = outcome {
            failures += 1
            writeError("\(clear)\(path): \(failure.code): \(failure.message)\n")
        }
        let line = json ? Self.json(path, outcome) : Self.text(path, outcome)
        do {
            if let line { try FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8)) }
        } catch {
            throw OutputFailure(description: "standard output cannot be written: \(error.localizedDescription)")
        }
        showProgress()
    }

    func finish() {
        if showsProgress { writeError(clear) }
    }

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
                Line.Candidate(caption: $0.caption, log_probability: $0.logProbability, score: $0.score)
            }
            line.timings_ms = Line.Timings(
                decode: rounded(output.decodeMilliseconds), encode: rounded(output.encodeMilliseconds),
                caption: rounded(output.captionMilliseconds))
        case .failure(let failure):
            line.status = "error"
            line.error = Line.Failure(code: failure.code, message: failure.message)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return (try? encoder.encode(line)).map { String(decoding: $0, as: UTF8.self) }
    }

    private struct Line: Encodable {
        struct Candidate: Encodable {
            var caption: String
            var log_probability: Float
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
        var timings_ms: Timings?
        var error: Failure?
    }

    private static func rounded(_ milliseconds: Double) -> Double { (milliseconds * 100).rounded() / 100 }

    private var clear: String { showsProgress ? "\r\u{1b}[K" : "" }

    private func showProgress() {
        let now = ContinuousClock.now
        guard showsProgress, now - lastShown > .milliseconds(200) else { return }
        lastShown = now
        let seconds = (now - start) / .seconds(1)
        let rate = Double(done) / seconds
        let left = Int((Double(total - done) / rate).rounded(.up))
        let text = "\(done) of \(total) images, \(String(format: "%.1f", rate))/s, \(left) s left"
        writeError("\(clear)\(text)")
    }

    /// Where nobody can read it, it is lost; the exit code still tells.
    private func writeError(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}
