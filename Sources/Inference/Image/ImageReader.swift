/// Turns an image file's bytes into an encoder's input. One a thread: it owns its scratch memory, which it keeps from
/// image to image.
public final class ImageReader {
    private let preprocessing: Preprocessing
    private let limits: ImageLimits

    public init(preprocessing: Preprocessing, limits: ImageLimits = .init()) {
        self.preprocessing = preprocessing
        self.limits = limits
    }

    /// Decodes, orients, resizes and normalises `bytes` into `tensor`: `height` × `width` × `pixelStride` floats, of
    /// which the first three of each pixel are its channels and the others are set to 0.
    ///
    /// - Throws: `image_unsupported`, `image_corrupt`, `image_too_large`, `image_timeout`, or `internal` when memory is out.
    public func read(
        _ bytes: UnsafeRawBufferPointer, into tensor: UnsafeMutablePointer<Float>, pixelStride: Int
    ) throws(InferenceError) {
        throw InferenceError(.imageUnsupported, "decoding has not landed yet")
    }
}
