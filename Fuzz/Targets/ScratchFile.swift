import Foundation

/// A file that holds the bytes of one execution, in a folder of its own: the readers of model files map files.
///
/// `@unchecked Sendable`: libFuzzer calls from one thread.
final class ScratchFile: @unchecked Sendable {
    let path: String
    private let descriptor: Int32

    convenience init(_ name: String) {
        var template = Array("\(NSTemporaryDirectory())/kaption-fuzz-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { fatalError("no temporary folder: \(Self.lastError)") }
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        self.init(path: "\(folder)/\(name)")
    }

    /// A file in the folder of `other`.
    convenience init(_ name: String, beside other: ScratchFile) {
        self.init(path: URL(fileURLWithPath: other.path).deletingLastPathComponent().appendingPathComponent(name).path)
    }

    private init(path: String) {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { fatalError("\(path): \(Self.lastError)") }
    }

    /// Replaces what the file holds. Nothing may have it mapped.
    func write(_ bytes: UnsafeRawBufferPointer) {
        guard pwrite(descriptor, bytes.baseAddress, bytes.count, 0) == bytes.count,
            ftruncate(descriptor, off_t(bytes.count)) == 0
        else { fatalError("\(path): \(Self.lastError)") }
    }

    private static var lastError: String { String(cString: strerror(errno)) }
}
