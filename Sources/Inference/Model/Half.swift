/// IEEE 754 half precision, as `weights.safetensors` may hold it.
enum Half {
    /// The largest finite value.
    static let greatest: Float = 65504

    /// The nearest half's bits, ties to even.
    static func bits(_ value: Float) -> UInt16 { Float16(value).bitPattern }

    /// Exact.
    static func widen(_ bits: UInt16) -> Float { Float(Float16(bitPattern: bits)) }
}
