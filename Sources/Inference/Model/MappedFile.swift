import Foundation

/// A file's bytes, mapped read-only for as long as the value lives. Every access is checked against the file's size.
///
/// The file must not be shortened while it is mapped; model files are replaced by renaming, never written in place.
package final class MappedFile: @unchecked Sendable {
    // Unchecked because of the pointer: the memory is read-only, and lives from `init` to `deinit`.
    private let base: UnsafeRawPointer?
    let count: Int

    /// - Throws: `ModelError` where `path` is no regular file or cannot be read.
    package init(path: String) throws(ModelError) {
        // O_NONBLOCK: opening a FIFO must not wait for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw ModelError("\(path): \(Self.lastError())") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw ModelError("\(path): \(Self.lastError())") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw ModelError("\(path): not a regular file") }
        count = Int(status.st_size)
        if count == 0 {
            base = nil
            return
        }
        guard let mapped = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), mapped != MAP_FAILED else {
            throw ModelError("\(path): cannot map: \(Self.lastError())")
        }
        base = UnsafeRawPointer(mapped)
    }

    deinit {
        if let base { munmap(UnsafeMutableRawPointer(mutating: base), count) }
    }

    /// All bytes, for one call.
    func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// The whole file as a slice.
    var bytes: MappedBytes { MappedBytes(file: self, range: 0..<count) }

    static func lastError() -> String { String(cString: strerror(errno)) }
}

/// Some bytes of a mapped file, which stays mapped as long as a slice of it lives.
struct MappedBytes: Sendable {
    let file: MappedFile
    let range: Range<Int>

    var count: Int { range.count }

    /// The bytes at `slice`, counted from the start of this slice; nil where that is not inside it.
    func slice(_ slice: Range<Int>) -> MappedBytes? {
        guard slice.lowerBound >= 0, slice.upperBound <= count else { return nil }
        let start = range.lowerBound + slice.lowerBound
        return MappedBytes(file: file, range: start..<start + slice.count)
    }

    func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try file.withBytes { (all) throws(Failure) in try body(UnsafeRawBufferPointer(rebasing: all[range])) }
    }

    var array: [UInt8] { withBytes { [UInt8]($0) } }
}
