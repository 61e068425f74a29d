import Kernels

/// A graph's layers for one precision, in order: which of them compute with narrow numbers, what each value is written in, and the
/// conversions between. A layer's values are all narrow or all floats, but for its output, which is written in what its readers need.
struct LayerSequence {
    private(set) var layers: [EncoderLayer] = []
    /// The value that is the feature. Always floats.
    private(set) var output: Int

    private let graph: Graph
    private var numbers: [Int: kaption_numbers] = [:]
    /// The graph's value that a converted one stands for.
    private var sources: [Int: Int] = [:]
    private var converted: [Conversion: Int] = [:]

    private struct Conversion: Hashable {
        var value: Int
        var isNarrow: Bool
    }

    /// - Throws: `ModelError` where a value's numbers are missing.
    init(
        _ graph: Graph, precision: ModelManifest.Precision.Kind, quantisation: Quantisation?,
        instructionSet: InstructionSet
    ) throws {
        self.graph = graph
        let fusion = LayerFusion(graph)
        output = fusion.output
        guard precision != .fp32 else {
            layers = fusion.layers
            return
        }
        var edges: ValueNumbers
        switch precision {
        case .int8:
            guard let quantisation else {
                throw ModelError("the model has no quantisation for int8; make it with \"kaption-model quantize\"")
            }
            try quantisation.validate(graph: graph)
            edges = ValueNumbers(quantisation)
            edges.unify(fusion.layers)
        default: edges = ValueNumbers()
        }
        let wide = Set((quantisation?.wide ?? []).map(fusion.output(ofLayerMaking:)))
        let floats =
            precision == .bf16
            ? FloatLayers(fusion.layers, graph: graph, instructionSet: instructionSet).indices : []
        let isNarrow = fusion.layers.enumerated().map { index, layer in
            if layer.output == fusion.output, layer.isMove { return false }
            if precision == .bf16 {
                return (layer.hasWholePairs || layer.readsImage) && !floats.contains(index)
            }
            return !wide.contains(layer.output) && layer.sumLength <= Int(KAPTION_UINT8_SUM_LIMIT)
        }
        let sumsAreNarrow = !(quantisation?.floatSums ?? false)
        var narrowReaders: Set<Int> = []
        for (layer, isNarrow) in zip(fusion.layers, isNarrow) where isNarrow {
            narrowReaders.formUnion(sumsAreNarrow ? layer.reads : layer.inputs)
        }
        if !sumsAreNarrow { narrowReaders.subtract(fusion.layers.compactMap(\.residual)) }
        for (layer, isNarrow) in zip(fusion.layers, isNarrow) {
            var layer = layer
            layer.inputs = try layer.inputs.map { try read($0, isNarrow, edges) }
            layer.residual = try layer.residual.map { try read($0, isNarrow && sumsAreNarrow, edges) }
            if isNarrow, layer.isMove || narrowReaders.contains(layer.output), layer.output != output {
                numbers[layer.output] = try edges.numbers(of: layer.output, in: graph)
            }
            layers.append(layer)
        }
    }

    func shape(of value: Int) -> Graph.Shape { graph.shape(ofValue: sources[value] ?? value) }

    /// Whether it is the input image, in any numbers.
    func isImage(_ value: Int) -> Bool { (sources[value] ?? value) == 0 }

    func numbers(of value: Int) -> kaption_numbers {
        numbers[value] ?? kaption_numbers(element: KAPTION_FLOAT32, scale: 0, zero: 0)
    }

    /// `value` in narrow numbers or in floats: itself, or converted before the layer at hand.
    private mutating func read(_ value: Int, _ isNarrow: Bool, _ edges: ValueNumbers) throws -> Int {
        guard isNarrow != (numbers(of: value).element != KAPTION_FLOAT32) else { return value }
        let conversion = Conversion(value: value, isNarrow: isNarrow)
        if let known = converted[conversion] { return known }
        let made = graph.nodes.count + 1 + sources.count
        sources[made] = value
        converted[conversion] = made
        if isNarrow { numbers[made] = try edges.numbers(of: value, in: graph) }
        layers.append(EncoderLayer(name: "convert", kind: .convert, inputs: [value], output: made))
        return made
    }
}

/// The narrow numbers of each value.
private struct ValueNumbers {
    /// nil: bfloat16, the same for all.
    private var ranges: [Int: kaption_numbers]?

    init() {}

    init(_ quantisation: Quantisation) {
        ranges = Dictionary(
            uniqueKeysWithValues: quantisation.edges.map {
                ($0.value, kaption_numbers(element: KAPTION_UINT8, scale: $0.scale, zero: Float($0.zeroPoint)))
            })
    }

    func numbers(of value: Int, in graph: Graph) throws -> kaption_numbers {
        guard let ranges else { return kaption_numbers(element: KAPTION_BFLOAT16, scale: 0, zero: 0) }
        guard let numbers = ranges[value] else {
            throw ModelError(
                "the quantisation does not know value \(value) of the encoder; run \"kaption-model quantize\" again")
        }
        return numbers
    }

    /// Layers that only move elements have the same numbers on both sides: the widest range of all values that are joined so.
    mutating func unify(_ layers: [EncoderLayer]) {
        var parents: [Int: Int] = [:]
        func root(_ value: Int) -> Int {
            var value = value
            while let parent = parents[value] { value = parent }
            return value
        }
        for layer in layers where layer.isMove {
            for input in layer.inputs {
                let (one, other) = (root(input), root(layer.output))
                if one != other { parents[max(one, other)] = min(one, other) }
            }
        }
        let members = Set(parents.keys).union(parents.values).sorted()
        var joint: [Int: kaption_numbers] = [:]
        for value in members {
            guard let numbers = ranges?[value] else { continue }
            joint[root(value)] = joint[root(value)].map { Self.joined($0, numbers) } ?? numbers
        }
        for value in members { ranges?[value] = joint[root(value)] }
    }

    private static func joined(_ a: kaption_numbers, _ b: kaption_numbers) -> kaption_numbers {
        if a.scale == b.scale, a.zero == b.zero { return a }
        let low = min(-a.zero * a.scale, -b.zero * b.scale)
        let high = max((255 - a.zero) * a.scale, (255 - b.zero) * b.scale)
        let scale = (high - low) / 255
        let zero = min(max((-low / scale).rounded(.toNearestOrEven), 0), 255)
        return kaption_numbers(element: KAPTION_UINT8, scale: scale, zero: zero)
    }
}

extension EncoderLayer {
    /// Whether it moves elements and computes nothing, so that its output has its input's numbers.
    var isMove: Bool {
        switch kind {
        case .concatenate, .flatten, .gatherChannels: true
        case .maxPool: activation == nil
        default: false
        }
    }

    /// Whether its sums run through whole pairs of channels, as products of bfloat16 read them: what lies behind an odd channel may be no
    /// number, and would not vanish against a weight of zero.
    fileprivate var hasWholePairs: Bool {
        guard case .convolution(let convolution) = kind else { return true }
        return (convolution.weightShape.last ?? 1).isMultiple(of: 2)
    }

    /// Whether it reads the pixels of the image, which are finite, and behind whose channels a conversion writes zeros.
    fileprivate var readsImage: Bool {
        guard case .convolution(let convolution) = kind else { return false }
        return inputs == [0] && convolution.groups == 1
    }

    /// Products that one of its sums has.
    fileprivate var sumLength: Int {
        switch kind {
        case .convolution(let convolution), .depthwise(let convolution):
            convolution.weightShape.dropFirst().reduce(1, *)
        default: 1
        }
    }
}
