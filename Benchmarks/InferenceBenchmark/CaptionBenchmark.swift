import Inference

/// How long a bundle takes from a file's bytes to captions, and where the time goes.
enum CaptionBenchmark {
    struct Row {
        var batch: Int
        /// Milliseconds an image, of the whole and of its stages (means of all repetitions).
        var timing: Timing
        var decode: Double
        var encode: Double
        var caption: Double
    }

    /// One core, beam 3, a drawn JPEG of 500×375, alone and in a micro-batch of 8.
    static func run(bundle directory: String) throws -> [Row] {
        let captioner = try Captioner(bundle: directory)
        let file = try ImageBenchmark.jpeg(width: 500, height: 375)
        return try [1, 8].map { batch in
            let session = captioner.makeSession(maximumBatch: batch)
            var (decode, encode, caption) = (0.0, 0.0, 0.0)
            var images = 0
            var timing = try Timing(seconds: 2) {
                try file.withUnsafeBytes { bytes in
                    var failure: InferenceError?
                    let input = CaptionSession.Input(bytes: bytes, options: CaptionOptions(beam: 3))
                    var captionOfBatch = 0.0
                    session.caption(Array(repeating: input, count: batch)) { _, result in
                        switch result {
                        case .success(let output):
                            decode += output.decodeMilliseconds
                            encode += output.encodeMilliseconds
                            captionOfBatch = max(captionOfBatch, output.captionMilliseconds)
                            images += 1
                        case .failure(let error): failure = error
                        }
                    }
                    // The images of a batch are captioned together: its last one's time is the batch's.
                    caption += captionOfBatch
                    if let failure { throw failure }
                }
            }
            timing.fastest /= Double(batch)
            timing.median /= Double(batch)
            let count = Double(images)
            return Row(
                batch: batch, timing: timing, decode: decode / count, encode: encode / count, caption: caption / count)
        }
    }
}
