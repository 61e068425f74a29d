import Glibc
import Synchronization

/// Standard output for what was asked for, standard error for progress; one line at a time, and a progress bar that is out of the way
/// when anything else is written.
final class Console: Sendable {
    enum ProgressStyle: String, Sendable, CaseIterable { case auto, bar, json, none }

    let style: ProgressStyle
    private let interruption: Interruption
    private let barIsShown = Mutex(false)

    /// - Parameter style: `auto` is a bar where standard error is a terminal, else JSON lines.
    init(style: ProgressStyle, interruption: Interruption) {
        self.style = style == .auto ? (isatty(STDERR_FILENO) == 1 ? .bar : .json) : style
        self.interruption = interruption
    }

    /// Writes a line to standard output. Where nobody reads it any more, the program is to end.
    func print(_ line: some Collection<UInt8>) {
        undisturbed {
            if !Self.write(Array(line) + [UInt8(ascii: "\n")], to: STDOUT_FILENO) {
                interruption.raise(.failure("standard output cannot be written: \(errorText(errno))"))
            }
        }
    }

    func show(_ snapshot: ProgressSnapshot) {
        switch style {
        case .bar:
            barIsShown.withLock { isShown in
                isShown = true
                _ = Self.write(Array("\r\(snapshot.bar(width: Self.width - 1))\u{1b}[K".utf8), to: STDERR_FILENO)
            }
        case .json:
            _ = Self.write(Array((snapshot.json(event: "progress") + "\n").utf8), to: STDERR_FILENO)
        case .auto, .none: break
        }
    }

    /// Runs what writes to the terminal by itself, such as a log, with the bar out of its way.
    func undisturbed(_ body: () -> Void) {
        barIsShown.withLock { isShown in
            if isShown { _ = Self.write(Array("\r\u{1b}[K".utf8), to: STDERR_FILENO) }
            isShown = false
            body()
        }
    }

    private static var width: Int {
        var size = winsize()
        return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno != EINTR { return false }
            written += max(0, count)
        }
        return true
    }
}
