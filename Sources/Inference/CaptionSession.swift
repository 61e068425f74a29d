import Kernels

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

    /// What a call of `caption` does, one after the other.
    public enum Stage: Sendable, Equatable {
        /// Decodes and encodes the image of this index.
        case image(Int)
        /// What is done for all images at once that have come this far.
        case together
    }

    /// The most inputs that one call of `caption` takes.
    public let maximumBatch: Int

    private let reader: ImageReader
    private let encoder: EncoderWorkspace
    private let stepper: CaptionStepper
    /// The batch's images that have been encoded, in the order of the encoder's rows.
    private var encoded: [Encoded] = []
    /// Which image is in each of the stepper's slots.
    private var underWay: [Encoded?]

    private struct Encoded {
        /// Among the inputs.
        var index: Int
        var decodeMilliseconds: Double
        var encodeMilliseconds: Double
    }

    init(captioner: Captioner, maximumBatch: Int, limits: ImageLimits) {
        precondition(maximumBatch >= 1, "a session needs room for at least one image")
        self.maximumBatch = maximumBatch
        reader = ImageReader(preprocessing: captioner.preprocessing, limits: limits)
        encoder = captioner.encoder.makeWorkspace(maximumBatch: maximumBatch)
        stepper = CaptionStepper(decoder: captioner.decoder, slots: maximumBatch)
        encoded.reserveCapacity(maximumBatch)
        underWay = Array(repeating: nil, count: maximumBatch)
    }

    /// Captions a micro-batch of 1...`maximumBatch` images. `deliver` is called once for each input, with its index, as soon as its
    /// result is known, in any order. An image that fails fails alone.
    ///
    /// An image's result has the same bits for any batch, order and neighbours; for that denormal numbers are
    /// flushed to zero on the calling thread until this returns.
    public func caption(_ inputs: [Input], deliver: (Int, Result<Output, InferenceError>) -> Void) {
        _ = caption(inputs, shouldStop: { _ in false }, enter: { _ in }, deliver: deliver)
    }

    /// The same, but between images it asks, telling how many it has begun, whether to leave the others alone; and it tells
    /// what it is about to do, so that a caller who watches the thread knows what it is at.
    ///
    /// - Returns: how many of the inputs, from the first, were begun; only these are delivered.
    public func caption(
        _ inputs: [Input], shouldStop: (Int) -> Bool, enter: (Stage) -> Void,
        deliver: (Int, Result<Output, InferenceError>) -> Void
    ) -> Int {
        precondition(inputs.count <= maximumBatch, "more images than the session has room for")
        let mode = kaption_flush_denormals()
        defer { kaption_restore_denormals(mode) }
        let begun = encode(inputs, shouldStop, enter, deliver)
        guard !encoded.isEmpty else { return begun }
        let start = ContinuousClock.now
        for (row, image) in encoded.enumerated() {
            do throws(InferenceError) {
                let slot = try stepper.admit(feature: encoder.features(row: row), options: inputs[image.index].options)
                underWay[slot] = image
            } catch {
                deliver(image.index, .failure(error))
            }
        }
        while !stepper.isEmpty {
            stepper.step()
            stepper.takeFinished { slot, result in
                guard let image = underWay[slot] else { preconditionFailure("a slot finished that was not taken") }
                underWay[slot] = nil
                let output = result.map { candidates in
                    Output(
                        candidates: candidates, decodeMilliseconds: image.decodeMilliseconds,
                        encodeMilliseconds: image.encodeMilliseconds, captionMilliseconds: start.millisecondsToNow)
                }
                deliver(image.index, output)
            }
        }
        return begun
    }

    /// Decodes the images and makes their features; what fails is delivered, the others are left in `encoded`. Returns how
    /// many were begun.
    private func encode(
        _ inputs: [Input], _ shouldStop: (Int) -> Bool, _ enter: (Stage) -> Void,
        _ deliver: (Int, Result<Output, InferenceError>) -> Void
    ) -> Int {
        encoded.removeAll(keepingCapacity: true)
        var begun = 0
        for (index, input) in inputs.enumerated() {
            if index > 0, shouldStop(index) { break }
            begun = index + 1
            enter(.image(index))
            do throws(InferenceError) {
                try input.options.validate()
                let start = ContinuousClock.now
                try reader.read(input.bytes, into: encoder.input, pixelStride: Encoder.inputPixelStride)
                let decoded = start.millisecondsToNow
                encoder.encode(row: encoded.count)
                encoded.append(
                    Encoded(
                        index: index, decodeMilliseconds: decoded,
                        encodeMilliseconds: start.millisecondsToNow - decoded))
            } catch {
                deliver(index, .failure(error))
            }
        }
        guard !encoded.isEmpty else { return begun }
        enter(.together)
        let start = ContinuousClock.now
        encoder.finish(rows: encoded.count)
        let share = start.millisecondsToNow / Double(encoded.count)
        for row in encoded.indices { encoded[row].encodeMilliseconds += share }
        return begun
    }
}

extension ContinuousClock.Instant {
    fileprivate var millisecondsToNow: Double { duration(to: .now) / .milliseconds(1) }
}
