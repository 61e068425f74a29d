import Kernels

/// Chains of layers that run together by strips of rows, so that what lies between them stays in the second-level cache: an inverted
/// residual block's expansion, depthwise convolution and projection (Sandler et al., "MobileNetV2", CVPR 2018, section 5, has the
/// idea for memory), or, in floats, the factors of its channels and the projection, or the sum at a residual block's end and the reduction
/// that the next one begins with. A pure function of the graph.
struct StripGroups {
    struct Group {
        /// Adjacent layers.
        var layers: Range<Int>
        /// Output rows of the last layer at a time.
        var rows: Int
    }

    /// By first layer.
    private(set) var groups: [Int: Group] = [:]
    /// Rows that are kept of a value between two layers of a group.
    private(set) var rings: [Int: Int] = [:]

    /// Bytes of the values between a group's layers from which on it is worth it.
    private static let worthwhile = 768 << 10
    /// Bytes that the strips between the layers take together, about.
    private static let budget = 256 << 10

    /// - Parameters:
    ///   - cut: layers before it run image by image.
    ///   - shape: of a value.
    ///   - elementBytes: of a value's elements.
    init(
        _ layers: [EncoderLayer], cut: Int, output: Int, shape: (Int) -> Graph.Shape, elementBytes: (Int) -> Int
    ) {
        var reads: [Int: Int] = [output: 1]
        for layer in layers { for value in layer.reads { reads[value, default: 0] += 1 } }
        var next = 0
        for index in 0..<cut where index >= next {
            let output = layers[index].output
            let isFloat = elementBytes(output) == 4
            var chain = index..<index + 1
            switch layers[index].kind {
            case .depthwise:
                guard index > next, case .convolution = layers[index - 1].kind,
                    layers[index].inputs == [layers[index - 1].output], reads[layers[index - 1].output] == 1
                else { break }
                chain = index - 1..<chain.upperBound
            case .multiply where isFloat: break
            case .convolution where isFloat && layers[index].endsResidualBlock: break
            default: continue
            }
            // A residual block's sum is read by the next block's own sum, too.
            if index + 1 < cut, layers[index + 1].isProduct, layers[index + 1].inputs == [output],
                reads[output] == 1 || layers[index].endsResidualBlock && layers[index + 1].isSmallProduct
            {
                chain = chain.lowerBound..<index + 2
            }
            guard chain.count > 1, let group = Self.group(chain, layers, shape, elementBytes) else { continue }
            next = chain.upperBound
            groups[chain.lowerBound] = group
            // A value that others read, too, is kept whole.
            for layer in chain.dropLast() where reads[layers[layer].output] == 1 {
                rings[layers[layer].output] = Self.ring(after: layer, group, layers)
            }
        }
    }

    private static func group(
        _ chain: Range<Int>, _ layers: [EncoderLayer], _ shape: (Int) -> Graph.Shape, _ elementBytes: (Int) -> Int
    ) -> Group? {
        func bytes(_ layer: Int) -> Int { shape(layers[layer].output).count * elementBytes(layers[layer].output) }
        guard chain.dropLast().reduce(0, { $0 + bytes($1) }) >= worthwhile else { return nil }
        let height = shape(layers[chain.upperBound - 1].output).height
        var group = Group(layers: chain, rows: 1)
        for rows in stride(from: 1, through: height, by: 1) {
            group.rows = rows
            let kept = chain.dropLast().reduce(0) { sum, layer in
                sum + ring(after: layer, group, layers) * bytes(layer) / max(shape(layers[layer].output).height, 1)
            }
            if kept > budget {
                group.rows = max(rows - 1, 1)
                break
            }
        }
        return group.rows < height ? group : nil
    }

    /// Rows of a layer's output that the next layer of its group may still need while it computes one strip.
    private static func ring(after layer: Int, _ group: Group, _ layers: [EncoderLayer]) -> Int {
        guard case .depthwise = layers[layer + 1].kind else { return group.rows }
        let window = layers[layer + 1].window
        return group.rows * window.strideHeight + max(window.rowsReached - window.strideHeight, 0)
    }
}

extension EncoderLayer {
    /// Whether it is a product of its pixels and a matrix.
    fileprivate var isProduct: Bool {
        guard case .convolution(let convolution) = kind else { return false }
        return isPointwise && convolution.groups == 1
    }

    /// Whether its weights stay in the second-level cache from strip to strip.
    fileprivate var isSmallProduct: Bool {
        guard isProduct, case .convolution(let convolution) = kind else { return false }
        return convolution.weightShape.reduce(1, *) < 1 << 18
    }

    fileprivate var endsResidualBlock: Bool { residual != nil && isSmallProduct }
}

extension Graph.Window {
    /// Input rows from the first to the last tap.
    fileprivate var rowsReached: Int { (kernelHeight - 1) * dilationHeight + 1 }
}

extension Graph.Shape {
    fileprivate var height: Int {
        if case .image(let height, _, _) = self { height } else { 1 }
    }
}
