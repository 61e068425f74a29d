import Glibc

/// An open image file, owned by one I/O thread from opening to the end of reading, and closed with it.
final class OpenedImage {
    private let descriptor: Int32
    /// The file's size when it was opened.
    let byteCount: Int

    init(descriptor: Int32, byteCount: Int) {
        self.descriptor = descriptor
        self.byteCount = byteCount
    }

    deinit { close(descriptor) }

    /// Forgets what the kernel remembers of the file's beginning, so that reading asks the storage.
    func forgetBeginning() { posix_fadvise(descriptor, 0, 4096, POSIX_FADV_DONTNEED) }

    /// Reads the file as long as it was when opened; a file cut short meanwhile gives what there is.
    func read() throws(ImageAccessError) -> ImageBytes {
        let bytes = ImageBytes(capacity: byteCount)
        while bytes.count < byteCount {
            let got = Glibc.read(descriptor, bytes.base + bytes.count, byteCount - bytes.count)
            if got > 0 {
                bytes.count += got
            } else if got == 0 {
                break
            } else if errno != EINTR {
                throw ImageAccessError(readingFailedWith: errno)
            }
        }
        return bytes
    }

    func readFirstByte() throws(ImageAccessError) {
        var byte: UInt8 = 0
        while pread(descriptor, &byte, 1, 0) < 0 {
            guard errno == EINTR else { throw ImageAccessError(readingFailedWith: errno) }
        }
    }
}

/// An image file's bytes at a fixed address, so that a micro-batch of them can be handed to C together.
///
/// `@unchecked Sendable`: filled by one I/O thread before anyone else sees it, and only read from then on.
final class ImageBytes: @unchecked Sendable {
    fileprivate let base: UnsafeMutableRawPointer
    fileprivate(set) var count = 0

    init(capacity: Int) {
        base = .allocate(byteCount: max(capacity, 1), alignment: 16)
    }

    deinit { base.deallocate() }

    /// Valid as long as the object is: use it within `withExtendedLifetime`.
    var buffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
}
