import Kernels

/// Calibrates a bundle's encoder: runs it in floats over sample images, notes how its values are spread, and chooses the
/// scale and zero point of each. One thread's.
public final class ModelQuantiser {
    private let bundle: ModelBundle
    private let directory: String
    private let reader: ImageReader
    private let encoder: Encoder
    private let workspace: EncoderWorkspace
    private var image = ValueHistogram()
    private var histograms: [ValueHistogram]
    /// By layer, of those that have weights.
    private var corrections: [RoundingCorrection?]
    private var images = 0

    /// - Throws: `ModelError` where the bundle is missing or damaged.
    public init(bundle directory: String) throws {
        self.directory = directory
        bundle = try ModelBundle.load(directory: directory)
        encoder = try Encoder(graph: bundle.manifest.encoder, weights: bundle.tensor)
        workspace = encoder.makeWorkspace(maximumBatch: 1)
        reader = ImageReader(preprocessing: bundle.manifest.preprocessing)
        histograms = Array(repeating: ValueHistogram(), count: encoder.plan.observations.count)
        corrections = encoder.plan.observations.map(RoundingCorrection.init)
    }

    /// Notes what one image, JPEG or PNG, makes of the encoder's values.
    ///
    /// - Throws: `InferenceError` where the image cannot be decoded or a value is not finite.
    public func observe(_ bytes: UnsafeRawBufferPointer) throws(InferenceError) {
        try reader.read(bytes, into: workspace.input, pixelStride: Encoder.inputPixelStride)
        var isFinite = true
        for pixel in 0..<encoder.inputHeight * encoder.inputWidth {
            let first = workspace.input + pixel * Encoder.inputPixelStride
            isFinite = image.add(UnsafeBufferPointer(start: first, count: encoder.inputChannels)) && isFinite
        }
        var done = 0
        for (index, observation) in encoder.plan.observations.enumerated() {
            if let input = workspace.floats(at: observation.input) {
                corrections[index]?.add(input, observation.input, output: observation.output)
            }
            while done < observation.steps {
                workspace.runStep(done)
                done += 1
            }
            let view = observation.output
            guard let output = workspace.floats(at: view) else { continue }
            for pixel in 0..<view.height * view.width {
                let values = UnsafeBufferPointer(start: output + pixel * view.stride, count: view.channels)
                isFinite = histograms[index].add(values) && isFinite
            }
        }
        guard isFinite else { throw InferenceError(.internal, "a value of the encoder is not finite") }
        images += 1
    }

    /// Writes the bundle anew, beside what it holds with the numbers of the images seen; every precision is allowed then.
    ///
    /// - Parameters:
    ///   - precision: what the new bundle computes in when nothing is said.
    ///   - wide: names of layers of the encoder that int8 is to leave in floats.
    /// - Returns: the new bundle's manifest.
    /// - Throws: `ModelError` where a name is unknown or the bundle cannot be written.
    @discardableResult
    public func write(
        to output: String, replaces: Bool = false, default precision: ModelManifest.Precision.Kind = .int8,
        wide: [String] = []
    ) throws -> ModelManifest {
        guard images > 0 else { throw ModelError("no image was seen, so nothing is known of the encoder's values") }
        let nodes = bundle.manifest.encoder.nodes
        let wideValues = try wide.map { name in
            guard let index = nodes.firstIndex(where: { $0.name == name }) else {
                throw ModelError("the encoder has no layer \"\(name.prefix(128))\"; \"inspect\" shows their names")
            }
            return index + 1
        }
        var edges = [Self.edge(0, image)]
        for (observation, histogram) in zip(encoder.plan.observations, histograms) {
            edges.append(Self.edge(observation.layer.output, histogram))
        }
        var manifest = bundle.manifest
        manifest.quantisation = Quantisation(
            edges: edges.sorted { $0.value < $1.value }, wide: wideValues.sorted(),
            calibration: .init(images: images, method: "least mean squared error"))
        manifest.quantisation?.corrections = try measuredCorrections()
        manifest.precision = .init(default: precision, allowed: ModelManifest.Precision.Kind.allCases)
        return try BundleWriter.copy(directory, with: manifest, to: output, replaces: replaces)
    }

    private func measuredCorrections() throws -> [String: [Float]] {
        var tensors: [String: WeightTensor] = [:]
        for name in Set(bundle.manifest.encoder.nodes.flatMap(\.operation.weights)) {
            tensors[name] = try bundle.tensor(name)
        }
        var measured: [String: [Float]] = [:]
        var shared: Set<String> = []
        for correction in corrections.compactMap(\.self) {
            let name = correction.convolution.weight
            if measured.updateValue(try correction.values(tensors), forKey: name) != nil { shared.insert(name) }
        }
        // What several layers have in common meets different values in each.
        return measured.filter { !shared.contains($0.key) }
    }

    private static func edge(_ value: Int, _ histogram: ValueHistogram) -> Quantisation.Edge {
        let numbers = histogram.numbers()
        return .init(value: value, scale: numbers.scale, zeroPoint: numbers.zeroPoint)
    }
}
