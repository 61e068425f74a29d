import CommandLineOptions
import Foundation
import Synchronization

/// The images whose requests Kafka has acknowledged, kept in a file so that the next start leaves them out.
///
/// The file holds a header line and then a path a line (backslash and newline escaped), only ever appended to. A path
/// is written after its acknowledgement and is safe after the next `sync`. So a crash loses the last second's entries
/// at most: those images are enqueued again, and none is left out that was not acknowledged (at least once). A last
/// line without its end, torn by a crash, is cut off. The file is locked: two runs cannot share it.
///
/// In memory a path takes 16 bytes: a 128-bit SipHash keyed afresh in each process; two paths of a billion collide with
/// a chance below 10⁻²⁰.
final class ResumeFile: Sendable {
    private struct Fingerprint: Hashable {
        let high: Int
        let low: Int

        init(_ path: String) {
            var first = Hasher()
            first.combine(1)
            // Its bytes: a String's hash is the same for names that differ in Unicode's normal form only.
            for byte in path.utf8 { first.combine(byte) }
            var second = Hasher()
            second.combine(2)
            for byte in path.utf8 { second.combine(byte) }
            high = first.finalize()
            low = second.finalize()
        }
    }

    let path: String
    private let descriptor: Int32
    private let earlier: Set<Fingerprint>
    private let pending = Mutex<[UInt8]>([])

    /// How many images earlier runs have enqueued.
    var count: Int { earlier.count }

    /// Opens the file or makes it.
    ///
    /// - Throws: `UsageError` when it cannot be opened, is in use, is not such a file, or belongs to another topic.
    init(path: String, topic: String) throws(UsageError) {
        func refusal(_ reason: String) -> UsageError { UsageError("--resume: \(path): \(reason)") }
        self.path = path
        // O_NONBLOCK: opening a pipe must not wait for its other end; it is refused below.
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o644)
        guard descriptor >= 0 else { throw refusal(errorText(errno)) }
        do throws(UsageError) {
            var status = stat()
            guard fstat(descriptor, &status) == 0, FileKind(mode: status.st_mode) == .file else {
                throw refusal("not a regular file")
            }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                throw refusal(errno == EWOULDBLOCK ? "in use by another run" : errorText(errno))
            }
            earlier = try Self.load(descriptor, header: "kaption-resume 1 \(topic)", refusal: refusal)
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit {
        // Closing would leave the lock to a child process that is just being started.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// Whether an earlier run enqueued the image.
    func contains(_ image: String) -> Bool { earlier.contains(Fingerprint(image)) }

    /// Notes an acknowledged image; any thread.
    func record(_ image: String) {
        pending.withLock { pending in
            for byte in image.utf8 {
                switch byte {
                case UInt8(ascii: "\\"): pending += "\\\\".utf8
                case UInt8(ascii: "\n"): pending += "\\n".utf8
                default: pending.append(byte)
                }
            }
            pending.append(UInt8(ascii: "\n"))
        }
    }

    /// Makes all that was noted safe on disk. One thread at a time.
    func sync() throws {
        let bytes = pending.withLock { pending in
            defer { pending.removeAll(keepingCapacity: true) }
            return pending
        }
        if !bytes.isEmpty { try Self.append(bytes, to: descriptor) }
    }

    private static func append(_ bytes: [UInt8], to descriptor: Int32) throws {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 || errno == EINTR else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
            written += max(0, count)
        }
        guard fdatasync(descriptor) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    }

    /// Reads what is there, cuts a torn line off and leaves the descriptor at the end.
    private static func load(
        _ descriptor: Int32, header: String, refusal: (String) -> UsageError
    ) throws(UsageError) -> Set<Fingerprint> {
        var lines = LineReader(descriptor: descriptor)
        var earlier: Set<Fingerprint> = []
        if let first = lines.next() {
            let text = String(decoding: first, as: UTF8.self)
            guard text.hasPrefix("kaption-resume 1 ") else { throw refusal("not a resume file of kaption-enqueue") }
            guard text == header else {
                throw refusal("belongs to the topic '\(text.dropFirst(17))'; give a file of its own to each topic")
            }
            while let line = lines.next() {
                if !line.isEmpty, let image = unescaped(line) { earlier.insert(Fingerprint(image)) }
            }
        }
        if let failure = lines.failure { throw refusal(errorText(failure)) }
        guard ftruncate(descriptor, off_t(lines.wholeLength)) == 0, lseek(descriptor, 0, SEEK_END) >= 0 else {
            throw refusal(errorText(errno))
        }
        if lines.wholeLength == 0 {
            do {
                try append(Array((header + "\n").utf8), to: descriptor)
            } catch {
                throw refusal("cannot be written: \(error)")
            }
        }
        return earlier
    }

    /// nil for a line that no path could have made, such as one of zero bytes after a loss of power.
    private static func unescaped(_ line: [UInt8]) -> String? {
        var bytes: [UInt8] = []
        var isEscape = false
        for byte in line {
            if isEscape {
                bytes.append(byte == UInt8(ascii: "n") ? UInt8(ascii: "\n") : byte)
                isEscape = false
            } else if byte == UInt8(ascii: "\\") {
                isEscape = true
            } else {
                bytes.append(byte)
            }
        }
        return isEscape || bytes.contains(0) ? nil : String(validating: bytes, as: UTF8.self)
    }
}

/// Whole lines of a file; `wholeLength` is where the last one ends. A line longer than any escaped path comes as the
/// empty one.
private struct LineReader {
    private static let longest = 1 << 16

    let descriptor: Int32
    private(set) var wholeLength = 0
    /// errno, where a nil line is not the file's end.
    private(set) var failure: Int32?
    private var buffer: [UInt8] = []
    private var start = 0

    init(descriptor: Int32) { self.descriptor = descriptor }

    mutating func next() -> [UInt8]? {
        var line: [UInt8] = []
        var length = 0
        while true {
            let end = buffer[start...].firstIndex(of: UInt8(ascii: "\n"))
            let piece = buffer[start..<(end ?? buffer.count)]
            length += piece.count
            if length <= Self.longest { line += piece } else { line = [] }
            if let end {
                start = end + 1
                wholeLength += length + 1
                return line
            }
            var chunk = [UInt8](repeating: 0, count: 1 << 18)
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0 { failure = errno }
            if count <= 0 { return nil }
            buffer = Array(chunk.prefix(count))
            start = 0
        }
    }
}
