/// Dropout (Srivastava et al., 2014) of one training step: on the embeddings of words and images, and on the LSTM's outputs. A word's
/// mask is the same wherever it stands in the batch (Gal and Ghahramani, "A Theoretically Grounded Application of Dropout in Recurrent
/// Neural Networks", 2016, section 4.2), so that its input product is needed once.
public struct DropoutNoise: Sendable {
    public var share: Float
    public var seed: UInt64
    public var step: Int

    public init(share: Float, seed: UInt64, step: Int) {
        self.share = share
        self.seed = seed
        self.step = step
    }

    /// The key of the mask of one row.
    func key(_ purpose: RandomStream.Purpose, row: Int = 0) -> UInt64 {
        var stream = RandomStream(seed: seed, purpose, at: step)
        return RandomStream.mixed(stream.next() &+ UInt64(row))
    }
}
