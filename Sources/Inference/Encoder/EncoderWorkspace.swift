/// One thread's memory for encoding. Everything is allocated when it is made, nothing after.
public final class EncoderWorkspace {
    /// The image to encode, `[height][width][4]`: normalised channels, the fourth float zero.
    public let input: UnsafeMutablePointer<Float>

    init(encoder: Encoder, maximumBatch: Int) {
        input = .allocate(capacity: encoder.inputHeight * encoder.inputWidth * Encoder.inputPixelStride)
    }

    deinit { input.deallocate() }

    /// Runs the image in `input` up to the cut point, as row `row` of the micro-batch.
    public func encode(row: Int) {}

    /// Runs the dense layers after the cut point for rows `0..<rows`.
    public func finish(rows: Int) {}

    /// The feature of row `row`, `featureSize` floats, valid until the next `encode`.
    public func features(row: Int) -> UnsafePointer<Float> { UnsafePointer(input) }
}
