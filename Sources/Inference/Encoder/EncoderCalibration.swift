import Kernels

/// Finds the numbers with which an encoder's values are best written as 8-bit integers: runs it in floats over sample images, notes how its
/// values are spread, and chooses the scale and zero point of each. One thread's.
///
/// Not every encoder bears 8 bits everywhere (the first layers and the residual sums of MobileNetV2 do not). So the features of int8
/// are compared with those of fp32, and where they are further off than wanted, more is left in floats.
final class EncoderCalibration {
    private static let comparedImages = 16
    /// Those of the first layers that are left in floats at last. The very first one bears 8 bits well, if what reads it gets floats.
    private static let firstLayers = [1..<3, 0..<3]
    /// What features have to be off, as a share of what they were, for more in floats to be worth its time.
    private static let worthwhile = 0.9

    let encoder: Encoder
    let workspace: EncoderWorkspace
    private let graph: Graph
    private let tensors: [String: WeightTensor]
    private var image = ValueHistogram()
    /// By layer.
    private var histograms: [ValueHistogram]
    /// By layer, of those that have weights.
    private var corrections: [RoundingCorrection?]
    private var images = 0
    /// Some of the images, as tensors, and their features.
    private var samples: [(image: [Float], feature: [Float])] = []

    /// - Throws: `ModelError`, and what `weights` throws.
    init(graph: Graph, weights: (String) throws -> WeightTensor) throws {
        self.graph = graph
        var tensors: [String: WeightTensor] = [:]
        for name in Set(graph.nodes.flatMap(\.operation.weights)) { tensors[name] = try weights(name) }
        self.tensors = tensors
        encoder = try Encoder(graph: graph, weights: weights, inStrips: false)
        workspace = encoder.makeWorkspace(maximumBatch: 1)
        histograms = Array(repeating: ValueHistogram(), count: encoder.plan.observations.count)
        corrections = encoder.plan.observations.map(RoundingCorrection.init)
    }

    /// Notes what the image in the workspace's input makes of the encoder's values.
    ///
    /// - Returns: false where one of them is not finite.
    func observe() -> Bool {
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
        images += 1
        if samples.count < Self.comparedImages {
            let floats = encoder.inputHeight * encoder.inputWidth * Encoder.inputPixelStride
            let feature = UnsafeBufferPointer(start: workspace.features(row: 0), count: encoder.featureSize)
            samples.append((Array(UnsafeBufferPointer(start: workspace.input, count: floats)), Array(feature)))
        }
        return isFinite
    }

    /// The quantisation that leaves least in floats of those within the tolerance, or else the one that comes closest to fp32 with all that is
    /// worth it.
    ///
    /// - Parameters:
    ///   - wide: values whose layers are left in floats in any case.
    ///   - floatSums: residual sums are, too.
    ///   - tolerance: how far features may be off, relative to their length, before more is left in floats.
    /// - Throws: `ModelError` where no image was observed or nothing finite comes out.
    func quantisation(
        wide: [Int], floatSums: Bool = false, tolerance: Double = ModelQuantiser.Floats().tolerance
    ) throws -> Quantisation {
        guard images > 0 else { throw ModelError("no image was seen, so nothing is known of the encoder's values") }
        var edges = [Self.edge(0, image)]
        for (observation, histogram) in zip(encoder.plan.observations, histograms) {
            edges.append(Self.edge(observation.layer.output, histogram))
        }
        let layers = encoder.plan.observations.map(\.layer.output)
        let wider = Self.firstLayers.map { Set(wide).union(layers[$0.clamped(to: layers.indices)]).sorted() }
        let corrections = try measuredCorrections()
        var closest: Quantisation?
        var wanted = ([wide.sorted()] + wider).map { (wide: $0, floatSums: true) }
        if !floatSums { wanted.insert((wide.sorted(), false), at: 0) }
        for (wide, floatSums) in wanted {
            var candidate = Quantisation(
                edges: edges.sorted { $0.value < $1.value }, wide: wide, floatSums: floatSums,
                calibration: .init(
                    images: images, method: "least mean squared error, biases corrected", featureError: 0))
            candidate.corrections = corrections
            let error = try featureError(of: candidate)
            candidate.calibration.featureError = error
            if error <= tolerance { return candidate }
            if error < Self.worthwhile * (closest?.calibration.featureError ?? .infinity) { closest = candidate }
        }
        guard let closest else { throw ModelError("the features of int8 are not finite") }
        return closest
    }

    /// How far the features of int8 are from those of fp32, relative to their length, in the mean.
    private func featureError(of quantisation: Quantisation) throws -> Double {
        let narrow = try Encoder(
            graph: graph,
            weights: { name in
                guard let tensor = tensors[name] else { throw ModelError("no weight \"\(name.prefix(128))\"") }
                return tensor
            }, precision: .int8, quantisation: quantisation)
        let workspace = narrow.makeWorkspace(maximumBatch: 1)
        var sum = 0.0
        for sample in samples {
            workspace.input.update(from: sample.image, count: sample.image.count)
            workspace.encode(row: 0)
            workspace.finish(rows: 1)
            let found = UnsafeBufferPointer(start: workspace.features(row: 0), count: sample.feature.count)
            let distance = zip(found, sample.feature).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
            let length = sample.feature.reduce(0.0) { $0 + Double($1 * $1) }
            sum += length > 0 ? (distance / length).squareRoot() : distance > 0 ? .infinity : 0
        }
        return sum / Double(samples.count)
    }

    private func measuredCorrections() throws -> [String: [Float]] {
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
