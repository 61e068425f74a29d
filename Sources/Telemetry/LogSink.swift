import Glibc
import Synchronization

/// Where log lines go: a file descriptor, each line in one write(2).
public final class LogSink: Sendable {
    public enum Form: String, Sendable, CaseIterable {
        /// `{"time":"…","level":"info","label":"…","message":"…","key":value}`
        case json
        /// `2026-01-31T12:00:00.000Z info label: message key=value`
        case text
    }

    private let form: Form
    private let descriptor: Int32
    private let clock: @Sendable () -> Int64
    /// A write to a pipe may be split in the middle when the line is long: the lock keeps lines whole among threads.
    private let lock = Mutex(())

    /// - Parameters:
    ///   - descriptor: stays the caller's; standard error by default.
    ///   - clock: milliseconds since 1970, UTC.
    public init(
        form: Form, descriptor: Int32 = STDERR_FILENO, clock: @escaping @Sendable () -> Int64 = Timestamp.now
    ) {
        self.form = form
        self.descriptor = descriptor
        self.clock = clock
    }

    func write(level: Logger.Level, label: String, message: String, metadata: Logger.Metadata) {
        var line = LogLine()
        switch form {
        case .json: line.writeJSON(time: clock(), level: level, label: label, message: message, metadata: metadata)
        case .text: line.writeText(time: clock(), level: level, label: label, message: message, metadata: metadata)
        }
        lock.withLock { _ in Self.writeAll(line.bytes, to: descriptor) }
    }

    /// A log that cannot be written has nowhere to say so: the rest of the line is given up.
    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return }
            }
        }
    }
}
