/// Which model made a caption.
public struct ModelIdentity: Sendable, Equatable {
    public var name: String
    public var version: String
    /// SHA-256 of the bundle: `sha256:` and 64 lower-case hexadecimal digits.
    public var digest: String
    /// The arithmetic used: `fp32`, `bf16` or `int8`.
    public var precision: String

    public init(name: String, version: String, digest: String, precision: String) {
        self.name = name
        self.version = version
        self.digest = digest
        self.precision = precision
    }
}

/// A model, loaded once and shared by all threads: weights and plans only, nothing that changes.
///
/// Each thread makes a `CaptionSession` of its own from it:
///
/// ```swift
/// let captioner = try Captioner(bundle: "Models/kaption-small")
/// let session = captioner.makeSession(maximumBatch: 8)
/// session.caption([.init(bytes: bytes, options: captioner.defaults)]) { index, result in … }
/// ```
public final class Captioner: Sendable {
    public let identity: ModelIdentity
    /// The bundle's decoding options.
    public let defaults: CaptionOptions

    let preprocessing: Preprocessing
    let encoder: Encoder
    let decoder: CaptionDecoder

    /// Loads a bundle, checks it whole and packs its weights for an instruction set.
    ///
    /// - Parameter precision: one of those that the bundle allows; nil for its default.
    /// - Throws: `ModelError` where the bundle is missing, damaged or does not fit together, or does not allow the precision.
    public init(
        bundle directory: String, precision: ModelManifest.Precision.Kind? = nil, instructionSet: InstructionSet = .best
    ) throws {
        let bundle = try ModelBundle.load(directory: directory)
        let manifest = bundle.manifest
        let precision = precision ?? manifest.precision.default
        guard manifest.precision.allowed.contains(precision) else {
            let allowed = manifest.precision.allowed.map(\.rawValue).joined(separator: ", ")
            throw ModelError(
                "\(directory): the bundle allows \(allowed), not \(precision.rawValue); "
                    + "\"kaption-model quantize\" makes one that does")
        }
        identity = ModelIdentity(
            name: manifest.name, version: manifest.version, digest: bundle.digest,
            precision: precision.rawValue)
        defaults = CaptionOptions(beam: manifest.decoding.beam, maxWords: manifest.decoding.maxWords)
        preprocessing = manifest.preprocessing
        do {
            encoder = try Encoder(
                graph: manifest.encoder, weights: bundle.tensor, instructionSet: instructionSet, precision: precision,
                quantisation: manifest.quantisation)
            decoder = try CaptionDecoder(
                configuration: DecoderConfiguration(manifest: manifest, featureSize: encoder.featureSize),
                weights: bundle.tensor, vocabulary: bundle.vocabulary.words, instructionSet: instructionSet,
                precision: precision)
        } catch let error as ModelError {
            throw ModelError("\(directory): \(error.message)")
        }
    }

    /// Scratch memory for one thread.
    ///
    /// - Parameters:
    ///   - maximumBatch: the most images that one call of `caption` gets, at least 1.
    ///   - limits: what one image may cost.
    public func makeSession(maximumBatch: Int, limits: ImageLimits = .init()) -> CaptionSession {
        CaptionSession(captioner: self, maximumBatch: maximumBatch, limits: limits)
    }
}
