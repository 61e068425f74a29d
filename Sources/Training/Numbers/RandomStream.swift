/// Numbers that look random and follow from a seed, a purpose and a count alone: whoever resumes at step 1,000 draws what an
/// unbroken run draws there, and nothing of it needs to be stored. SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom
/// number generators", 2014).
public struct RandomStream: RandomNumberGenerator, Sendable {
    public enum Purpose: UInt64, Sendable {
        case weights = 1
        case embeddings, projection, order, copies, words, images, outputs, samples
    }

    private var state: UInt64

    public init(seed: UInt64, _ purpose: Purpose, at index: Int = 0) {
        state = Self.mixed(
            Self.mixed(seed &+ purpose.rawValue &* 0x9E37_79B9_7F4A_7C15) &+ UInt64(bitPattern: Int64(index)))
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mixed(state)
    }

    /// Evenly spread over 0..<1, 24 bits.
    public mutating func unit() -> Float { Float(next() >> 40) * 0x1p-24 }

    /// Evenly spread over −`scale`..<`scale`.
    public mutating func uniform(_ scale: Float) -> Float { (2 * unit() - 1) * scale }

    /// Normally distributed, mean 0 and variance 1, of a sum of twelve (which is as even on every machine as a logarithm is
    /// not).
    public mutating func normal() -> Float { (0..<12).reduce(Float(-6)) { sum, _ in sum + unit() } }

    static func mixed(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
