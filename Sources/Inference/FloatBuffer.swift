/// Floats on a 64-byte boundary, zero at first.
///
/// Unchecked because the compiler cannot see who writes: the owner fills it before it shares it (weights), or never
/// shares it (a thread's scratch).
final class FloatBuffer: @unchecked Sendable {
    let base: UnsafeMutablePointer<Float>
    let count: Int

    init(count: Int) {
        self.count = count
        let bytes = max(count, 1) * MemoryLayout<Float>.stride
        base = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
            .bindMemory(to: Float.self, capacity: max(count, 1))
        base.initialize(repeating: 0, count: count)
    }

    convenience init(_ values: [Float]) {
        self.init(count: values.count)
        values.withUnsafeBufferPointer { source in
            if let first = source.baseAddress { base.update(from: first, count: source.count) }
        }
    }

    deinit { UnsafeMutableRawPointer(base).deallocate() }
}
