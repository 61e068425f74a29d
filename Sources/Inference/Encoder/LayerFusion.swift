/// Turns a valid graph into layers: nodes that nobody needs are left out, activations, residual additions and channel
/// scales go into the convolution before them, and a flattening that moves nothing disappears.
struct LayerFusion {
    private(set) var layers: [EncoderLayer] = []
    /// The value that the last node's value has become.
    private(set) var output = 0

    private let graph: Graph
    /// How often each value is read; the graph's output once more.
    private var uses: [Int]
    /// The value that stands for each value.
    private var alias: [Int]
    /// The layer that makes each value.
    private var maker: [Int?]

    init(_ graph: Graph) {
        self.graph = graph
        let count = graph.nodes.count + 1
        uses = Array(repeating: 0, count: count)
        alias = Array(0..<count)
        maker = Array(repeating: nil, count: count)
        uses[count - 1] = 1
        for value in stride(from: count - 1, to: 0, by: -1) where uses[value] > 0 {
            for input in graph.nodes[value - 1].inputs { uses[input] += 1 }
        }
        for value in 1..<count where uses[value] > 0 { add(graph.nodes[value - 1], value) }
        output = alias[count - 1]
    }

    private mutating func add(_ node: Graph.Node, _ value: Int) {
        let inputs = node.inputs.map { alias[$0] }
        let input = inputs[0]
        let channels = graph.shape(ofValue: node.inputs[0]).channels
        var layer = EncoderLayer(name: node.name, kind: .flatten, inputs: inputs, output: value)
        switch node.operation {
        case .convolution(let weight, let bias, let window, let groups):
            let filters = node.shape.channels
            let shape = [filters, window.kernelHeight, window.kernelWidth, channels / groups]
            let convolution = EncoderLayer.Convolution(weight: weight, weightShape: shape, bias: bias, groups: groups)
            let isDepthwise = groups > 1 && groups == channels && groups == filters
            layer.kind = isDepthwise ? .depthwise(convolution) : .convolution(convolution)
            layer.window = window
        case .dense(let weight, let bias):
            let shape = [node.shape.count, channels]
            layer.kind = .convolution(.init(weight: weight, weightShape: shape, bias: bias, groups: 1))
        case .add:
            if fuseAddition(node, inputs, value) { return }
            layer.kind = .add
        case .multiply: layer.kind = .multiply
        case .scaleShift(let scale, let shift):
            if let index = soleMaker(of: input), layers[index].takesScaleShift {
                layers[index].fold(scale: scale, shift: shift)
                return pass(index, value)
            }
            layer.kind = .scaleShift(scale: scale, shift: shift)
        case .activation(let activation):
            if let index = soleMaker(of: input), layers[index].takesActivation {
                layers[index].activation = activation
                return pass(index, value)
            }
            layer.kind = .activation
            layer.activation = activation
        case .maxPool(let window):
            layer.kind = .maxPool
            layer.window = window
        case .averagePool(let window, let countsPadding):
            layer.kind = .averagePool(countsPadding: countsPadding)
            layer.window = window
        case .globalAveragePool: layer.kind = .globalAveragePool
        case .concatenate: layer.kind = .concatenate
        case .gatherChannels(let indices): layer.kind = .gatherChannels(indices)
        case .flatten:
            if graph.shape(ofValue: input).isFlat, input != 0 {
                alias[value] = input
                uses[input] += uses[value] - 1
                return
            }
        }
        maker[value] = layers.count
        layers.append(layer)
    }

    /// What the layer makes in the end that has the node which made `value`.
    func output(ofLayerMaking value: Int) -> Int { maker[value].map { layers[$0].output } ?? value }

    /// The layer that makes `value`, if nothing else reads it than the node at hand.
    private func soleMaker(of value: Int) -> Int? { uses[value] == 1 ? maker[value] : nil }

    /// Layer `index` now makes `value` instead of what it made.
    private mutating func pass(_ index: Int, _ value: Int) {
        layers[index].output = value
        maker[value] = index
    }

    /// Puts an addition at the end of the convolution that makes the later of its operands.
    private mutating func fuseAddition(_ node: Graph.Node, _ inputs: [Int], _ value: Int) -> Bool {
        guard graph.shape(ofValue: node.inputs[0]) == graph.shape(ofValue: node.inputs[1]), inputs[0] != inputs[1]
        else {
            return false
        }
        let makers = inputs.map { maker[$0] ?? -1 }
        let later = makers[0] > makers[1] ? 0 : 1
        guard let index = soleMaker(of: inputs[later]), layers[index].takesResidual else { return false }
        layers[index].residual = inputs[1 - later]
        pass(index, value)
        return true
    }
}

extension EncoderLayer {
    fileprivate mutating func fold(scale: String, shift: String) {
        switch kind {
        case .convolution(var convolution):
            convolution.scaleShifts.append((scale, shift))
            kind = .convolution(convolution)
        case .depthwise(var convolution):
            convolution.scaleShifts.append((scale, shift))
            kind = .depthwise(convolution)
        default: break
        }
    }
}
