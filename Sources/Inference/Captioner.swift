/// Which model made a caption.
public struct ModelIdentity: Sendable, Equatable {
    public var name: String
    public var version: String
    /// SHA-256 of the bundle, lower-case hexadecimal.
    public var digest: String
    /// The arithmetic used: `fp32`.
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
/// Each thread makes a `CaptionSession` of its own from it.
public final class Captioner: Sendable {
    public let identity: ModelIdentity
    /// The bundle's decoding options.
    public let defaults: CaptionOptions

    /// Loads a bundle, checks it whole and packs its weights for this CPU.
    ///
    /// - Throws: `ModelError` where the bundle is missing, damaged or does not fit together.
    public init(bundle directory: String, instructionSet: InstructionSet = .best) throws {
        throw ModelError("\(directory): loading of bundles is not in place yet")
    }

    /// Scratch memory for one thread.
    ///
    /// - Parameter maximumBatch: the most images that one call of `caption` gets, at least 1.
    public func makeSession(maximumBatch: Int) -> CaptionSession {
        CaptionSession(maximumBatch: maximumBatch)
    }
}
