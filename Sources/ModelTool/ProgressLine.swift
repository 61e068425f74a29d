import Foundation

/// How far the work is, on standard error: one line that changes where that is a terminal, else a line now and then.
struct ProgressLine {
    private let total: Int
    private let isShown: Bool
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let start = ContinuousClock.now
    private var lastShown = ContinuousClock.now
    private var done = 0

    /// - Parameter isShown: false where something else on the terminal shows how far the work is; only notes are written.
    init(total: Int, isShown: Bool = true) {
        self.total = total
        self.isShown = isShown
    }

    /// One more image is done.
    mutating func advance() {
        done += 1
        let now = ContinuousClock.now
        guard isShown, now - lastShown > (isTerminal ? .milliseconds(200) : .seconds(10)) else { return }
        lastShown = now
        let rate = Double(done) / ((now - start) / .seconds(1))
        let left = Int((Double(total - done) / rate).rounded(.up))
        let text = "\(done) of \(total) images, \(String(format: "%.1f", rate))/s, \(left) s left"
        write(isTerminal ? clear + text : text + "\n")
    }

    /// Writes a line that stays.
    func note(_ text: String) { write("\(clear)\(text)\n") }

    func finish() {
        if !clear.isEmpty { write(clear) }
    }

    private var clear: String { isTerminal && isShown ? "\r\u{1b}[K" : "" }

    /// Where nobody can read it, it is lost.
    private func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}
