/// One thread's use of a `Captioner`: all scratch memory, none of it shared. Not `Sendable`: it stays on its thread.
public final class CaptionSession {
    /// One image of a micro-batch.
    public struct Input {
        /// The file's bytes, JPEG or PNG. They must stay valid until `caption` returns.
        public var bytes: UnsafeRawBufferPointer
        public var options: CaptionOptions

        public init(bytes: UnsafeRawBufferPointer, options: CaptionOptions) {
            self.bytes = bytes
            self.options = options
        }
    }

    /// What one image gave.
    public struct Output: Sendable {
        /// Best first, 1...`options.candidates` of them.
        public var candidates: [CaptionCandidate]
        /// Decoding and preprocessing of the image.
        public var decodeMilliseconds: Double
        /// The encoder.
        public var encodeMilliseconds: Double
        /// From the feature's entry into the caption decoder to the result, shared with the images decoded beside it.
        public var captionMilliseconds: Double

        public init(
            candidates: [CaptionCandidate], decodeMilliseconds: Double, encodeMilliseconds: Double,
            captionMilliseconds: Double
        ) {
            self.candidates = candidates
            self.decodeMilliseconds = decodeMilliseconds
            self.encodeMilliseconds = encodeMilliseconds
            self.captionMilliseconds = captionMilliseconds
        }
    }

    /// The most inputs that one call of `caption` takes.
    public let maximumBatch: Int

    init(maximumBatch: Int) {
        precondition(maximumBatch >= 1, "a session needs room for at least one image")
        self.maximumBatch = maximumBatch
    }

    /// Captions a micro-batch of 1...`maximumBatch` images. `deliver` is called once for each input, with its index, as soon as its
    /// result is known, in any order. An image that fails fails alone.
    ///
    /// An image's result has the same bits for any batch, order and neighbours.
    public func caption(_ inputs: [Input], deliver: (Int, Result<Output, InferenceError>) -> Void) {
        precondition(inputs.count <= maximumBatch, "more images than the session has room for")
        for index in inputs.indices {
            deliver(index, .failure(InferenceError(.internal, "captioning is not in place yet")))
        }
    }
}
