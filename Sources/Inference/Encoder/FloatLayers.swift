import Kernels

/// Which layers of an encoder in bfloat16 compute in floats all the same, where these are faster on the instruction set: all without
/// instructions for bfloat16; with them, but without tiles, the convolutions of which Winograd's algorithm leaves a quarter of the products, and
/// what lies between two of those. A pure function of graph and instruction set.
struct FloatLayers {
    /// Of the layers that were given.
    private(set) var indices: Set<Int> = []

    /// Below these the transformed weights, read once for a block of tiles, cost more than the products save.
    private static let fewestTiles = 24

    init(_ layers: [EncoderLayer], graph: Graph, instructionSet: InstructionSet) {
        switch instructionSet {
        case .plain, .avx2, .avx512: indices = Set(layers.indices)
        case .avx512vnni:
            indices = Set(layers.indices.filter { Self.gainsByWinograd(layers[$0], graph) })
            addBetween(layers)
        case .amx: break
        }
    }

    /// Layers that are no products and have nothing but floats on both sides.
    private mutating func addBetween(_ layers: [EncoderLayer]) {
        var makers: [Int: Int] = [:]
        var readers: [Int: [Int]] = [:]
        for (index, layer) in layers.enumerated() {
            makers[layer.output] = index
            for value in layer.reads { readers[value, default: []].append(index) }
        }
        var between = Set(layers.indices.filter { !layers[$0].isProduct })
        var unchecked = Array(between)
        while let index = unchecked.popLast() {
            let sources = layers[index].reads.map { makers[$0] ?? -1 }
            let neighbours = sources + (readers[layers[index].output] ?? [])
            let isBetween =
                neighbours.count > sources.count
                && neighbours.allSatisfy { indices.contains($0) || between.contains($0) }
            if !isBetween, between.remove(index) != nil { unchecked += neighbours.filter(between.contains) }
        }
        indices.formUnion(between)
    }

    private static func gainsByWinograd(_ layer: EncoderLayer, _ graph: Graph) -> Bool {
        guard case .convolution(let convolution) = layer.kind,
            case .image(let height, let width, let filters) = graph.shape(ofValue: layer.output)
        else { return false }
        var window = kaption_window(layer.window)
        let channels = graph.shape(ofValue: layer.inputs[0]).channels
        let tile = kaption_winograd_tile_of(&window, convolution.groups, height, width, channels, filters)
        guard tile.height == 4, tile.width == 4 else { return false }
        return ((height + 3) / 4) * ((width + 3) / 4) >= fewestTiles
    }
}

extension EncoderLayer {
    /// Whether it sums products with weights.
    fileprivate var isProduct: Bool {
        switch kind {
        case .convolution, .depthwise: true
        default: false
        }
    }
}
