import Foundation

/// Floats on a 64-byte boundary (2 MiB for large ones, with huge pages where the system gives them), zero at first.
final class AlignedFloats {
    let base: UnsafeMutablePointer<Float>
    let count: Int

    init(count: Int) {
        let huge = 2 << 20
        let bytes = max(count, 1) * MemoryLayout<Float>.stride
        let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: bytes >= huge ? huge : 64)
        if bytes >= huge { madvise(raw, bytes / huge * huge, Int32(MADV_HUGEPAGE)) }
        memset(raw, 0, bytes)
        base = raw.bindMemory(to: Float.self, capacity: max(count, 1))
        self.count = count
    }

    deinit { UnsafeMutableRawPointer(base).deallocate() }
}
