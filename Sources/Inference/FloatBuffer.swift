import Foundation

/// Floats on a 64-byte boundary, zero at first. Large ones begin on a huge page and ask the system for such pages: weights and
/// values are read in long streams, and fewer pages mean fewer misses of the address translation.
///
/// Unchecked because the compiler cannot see who writes: the owner fills it before it shares it (weights), or never
/// shares it (a thread's scratch).
package final class FloatBuffer: @unchecked Sendable {
    package let base: UnsafeMutablePointer<Float>
    package let count: Int

    private static let hugePage = 2 << 20

    package init(count: Int) {
        self.count = count
        let bytes = max(count, 1) * MemoryLayout<Float>.stride
        let isLarge = bytes >= Self.hugePage
        let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: isLarge ? Self.hugePage : 64)
        if isLarge { madvise(raw, bytes / Self.hugePage * Self.hugePage, Int32(MADV_HUGEPAGE)) }
        base = raw.bindMemory(to: Float.self, capacity: max(count, 1))
        base.initialize(repeating: 0, count: count)
    }

    package convenience init(_ values: [Float]) {
        self.init(count: values.count)
        values.withUnsafeBufferPointer { source in
            if let first = source.baseAddress { base.update(from: first, count: source.count) }
        }
    }

    deinit { UnsafeMutableRawPointer(base).deallocate() }
}
