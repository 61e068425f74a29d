import Glibc

/// Paths listed on a descriptor, one a line or each ended by a NUL, read as they come. Waiting for more ends when the
/// program is interrupted.
final class PathList {
    enum Item: Equatable {
        case path(String)
        case problem(String, reason: String)
    }

    /// Longer than any path the kernel takes.
    private static let longest = 8192

    private let descriptor: Int32
    private let delimiter: UInt8
    private let interruption: Interruption
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false
    /// errno, where reading failed and nobody has been told.
    private var failure: Int32?

    init(descriptor: Int32, endsWithNUL: Bool, interruption: Interruption) {
        self.descriptor = descriptor
        self.interruption = interruption
        delimiter = endsWithNUL ? 0 : UInt8(ascii: "\n")
    }

    func next() -> Item? {
        while let line = nextLine() {
            if line.isEmpty { continue }
            if line.count > Self.longest {
                return .problem(String(decoding: line.prefix(60), as: UTF8.self) + "…", reason: "the path is too long")
            }
            guard !line.contains(0), let path = String(validating: line, as: UTF8.self) else {
                return .problem(String(decoding: line, as: UTF8.self), reason: "the path is not UTF-8 or holds a NUL")
            }
            return .path(path)
        }
        guard let code = failure else { return nil }
        failure = nil
        return .problem("-", reason: "the list cannot be read on: \(errorText(code))")
    }

    /// The next line without its end; of a line that is too long only the beginning is kept.
    private func nextLine() -> [UInt8]? {
        var line: [UInt8] = []
        while true {
            if let end = buffer[start...].firstIndex(of: delimiter) {
                line += buffer[start..<end]
                start = end + 1
                if delimiter != 0, line.last == UInt8(ascii: "\r") { line.removeLast() }
                return line
            }
            if line.count <= Self.longest { line += buffer[start...] }
            start = buffer.count
            if isAtEnd || !fill() {
                isAtEnd = true
                return line.isEmpty ? nil : line
            }
        }
    }

    private func fill() -> Bool {
        guard interruption.waitForInput(on: descriptor) else { return false }
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        var count: Int
        repeat { count = read(descriptor, &chunk, chunk.count) } while count < 0 && errno == EINTR
        if count < 0 { failure = errno }
        buffer = Array(chunk.prefix(max(0, count)))
        start = 0
        return count > 0
    }
}
