/// A named tensor of a bundle, widened to 32-bit floats.
public struct WeightTensor: Sendable {
    /// Dimensions, outermost first; empty for a scalar.
    public var shape: [Int]
    /// Elements in row-major order, as many as the product of `shape`.
    public var values: [Float]

    public init(shape: [Int], values: [Float]) {
        self.shape = shape
        self.values = values
    }
}
