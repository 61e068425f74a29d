/// Makes a bundle fit for int8: calibrates its encoder on sample images and writes the bundle anew with what was found. One thread's.
public final class ModelQuantiser {
    /// What int8 leaves in floats.
    public struct Floats: Sendable {
        /// Names of layers of the encoder, in any case.
        public var layers: [String]
        /// Residual sums, in any case.
        public var sums: Bool
        /// How far features may be off those of fp32, relative to their length, before more is left.
        public var tolerance: Double

        public init(layers: [String] = [], sums: Bool = false, tolerance: Double = 0.05) {
            self.layers = layers
            self.sums = sums
            self.tolerance = tolerance
        }
    }

    private let bundle: ModelBundle
    private let directory: String
    private let reader: ImageReader
    private let calibration: EncoderCalibration

    /// - Throws: `ModelError` where the bundle is missing or damaged.
    public init(bundle directory: String) throws {
        self.directory = directory
        bundle = try ModelBundle.load(directory: directory)
        calibration = try EncoderCalibration(graph: bundle.manifest.encoder, weights: bundle.tensor)
        reader = ImageReader(preprocessing: bundle.manifest.preprocessing)
    }

    /// Notes what one image, JPEG or PNG, makes of the encoder's values.
    ///
    /// - Throws: `InferenceError` where the image cannot be decoded or a value is not finite.
    public func observe(_ bytes: UnsafeRawBufferPointer) throws(InferenceError) {
        try reader.read(bytes, into: calibration.workspace.input, pixelStride: Encoder.inputPixelStride)
        guard calibration.observe() else {
            throw InferenceError(.internal, "a value of the encoder is not finite")
        }
    }

    /// Writes the bundle anew, beside what it holds with the numbers of the images seen; every precision is allowed then.
    ///
    /// - Parameters:
    ///   - precision: what the new bundle computes in when nothing is said.
    ///   - beam: beams that the new bundle searches with when nothing is said; `nil`: as before.
    /// - Returns: the new bundle's manifest.
    /// - Throws: `ModelError` where a name is unknown or the bundle cannot be written.
    @discardableResult
    public func write(
        to output: String, replaces: Bool = false, default precision: ModelManifest.Precision.Kind = .int8,
        beam: Int? = nil, floats: Floats = Floats()
    ) throws -> ModelManifest {
        let nodes = bundle.manifest.encoder.nodes
        let wide = try floats.layers.map { name in
            guard let index = nodes.firstIndex(where: { $0.name == name }) else {
                throw ModelError("the encoder has no layer \"\(name.prefix(128))\"; \"inspect\" shows their names")
            }
            return index + 1
        }
        var manifest = bundle.manifest
        manifest.quantisation = try calibration.quantisation(
            wide: wide, floatSums: floats.sums, tolerance: floats.tolerance)
        manifest.precision = .init(default: precision, allowed: ModelManifest.Precision.Kind.allCases)
        manifest.decoding.beam = beam ?? manifest.decoding.beam
        return try BundleWriter.copy(directory, with: manifest, to: output, replaces: replaces)
    }
}
