import Glibc

/// A file's bytes in memory of their own, which stays where it is.
final class FileBytes {
    private var memory: UnsafeMutableRawBufferPointer
    private var count = 0

    /// Reads a file, or a pipe, to its end.
    ///
    /// - Throws: `image_not_found`, `image_unreadable`, or `image_too_large` for more than `limit` bytes.
    init(path: String, limit: Int) throws(CaptionFailure) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure(errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.failure(errno) }
        // One byte more than the size, so that the end shows without growing.
        memory = .allocate(byteCount: min(max(Int(status.st_size), 4096), limit) + 1, alignment: 16)
        while true {
            guard count <= limit else {
                throw CaptionFailure(code: "image_too_large", message: "the file is larger than \(limit >> 20) MiB")
            }
            if count == memory.count { grow() }
            let got = read(descriptor, memory.baseAddress.map { $0 + count }, memory.count - count)
            if got == 0 { return }
            if got > 0 { count += got } else if errno != EINTR { throw Self.failure(errno) }
        }
    }

    deinit { memory.deallocate() }

    /// Valid as long as this value lives.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

    private func grow() {
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * memory.count, alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(memory))
        memory.deallocate()
        memory = larger
    }

    private static func failure(_ error: Int32) -> CaptionFailure {
        CaptionFailure(
            code: error == ENOENT ? "image_not_found" : "image_unreadable", message: String(cString: strerror(error)))
    }
}
