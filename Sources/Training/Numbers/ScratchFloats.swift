import Inference

/// Memory for floats that grows to the most that was ever asked for, and keeps nothing when it grows.
final class ScratchFloats {
    private var buffer = FloatBuffer(count: 0)

    /// At least `count` floats, valid until more are asked for.
    func reserve(_ count: Int) -> UnsafeMutablePointer<Float> {
        if buffer.count < count { buffer = FloatBuffer(count: count + count / 4) }
        return buffer.base
    }
}
