import Foundation
import Training

/// How far training is, on standard error: one line that changes where that is a terminal, else a line every half minute.
struct TrainProgress {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var lastShown = ContinuousClock.now
    private var recentSeconds = 0.0
    private var recentTargets = 0
    private var recentSteps = 0

    mutating func show(_ progress: TrainingRun.Progress) {
        recentSeconds += progress.seconds
        recentTargets += progress.targets
        recentSteps += 1
        let now = ContinuousClock.now
        guard now - lastShown > (isTerminal ? .milliseconds(500) : .seconds(30)) else { return }
        lastShown = now
        let state = progress.state
        let left = (progress.epochs - state.epoch) * progress.batches - state.batch
        let eta = recentSeconds / Double(recentSteps) * Double(left)
        var text =
            "\(state.stage.rawValue) epoch \(state.epoch + 1) of \(progress.epochs), batch \(state.batch) of \(progress.batches)"
        text += String(format: ", loss %.3f", state.lossSum / Double(max(state.targets, 1)))
        if state.rewardSum != 0 {
            text += String(format: ", reward %.3f", state.rewardSum / Double(max(state.batch, 1)))
        }
        text += String(format: ", %.0f words/s, ", Double(recentTargets) / max(recentSeconds, 1e-9))
        text += eta < 120 ? String(format: "%.0f s left", eta) : String(format: "%.0f min left", eta / 60)
        write(isTerminal ? "\r\u{1b}[K" + text : text + "\n")
        (recentSeconds, recentTargets, recentSteps) = (0, 0, 0)
    }

    func clear() {
        if isTerminal { write("\r\u{1b}[K") }
    }

    /// One epoch.
    static func line(_ record: EpochRecord, isBest: Bool) -> String {
        var text = "\(record.stage.rawValue) \(record.epoch): " + String(format: "loss %.4f", record.loss)
        if let reward = record.reward { text += String(format: ", reward %.4f", reward) }
        if let score = record.development { text += ", \(self.text(score))" }
        text += String(format: ", %.0f s, %.0f words/s", record.seconds, record.wordsPerSecond)
        return text + (isBest ? " *" : "")
    }

    static func text(_ score: DevelopmentScore) -> String {
        let bleu = [score[.bleu1], score[.bleu2], score[.bleu3], score[.bleu4]].map { String(format: "%.4f", $0) }
        return "beam \(score.beam) α \(score.alpha): BLEU \(bleu.joined(separator: " ")) CIDEr-D "
            + String(format: "%.4f length %.3f dangling %.3f", score[.ciderD], score[.lengthRatio], score.dangling)
    }

    private func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}
