/// Makes the portable graph of a lowered one: folds padding and per-channel scales into the layers beside them, finds the
/// activation functions that exporters spell out, and leaves out what nothing reads.
///
/// Two sweeps rebuild the list of nodes from the front, so that each rule sees producers that are simplified already.
struct GraphSimplifier {
    private let input: Graph.Shape
    private var nodes: [LoweredGraph.Node]
    private var output: Int

    init(_ lowered: LoweredGraph, output: Int) {
        input = lowered.input
        nodes = lowered.nodes
        self.output = output
    }

    mutating func run() throws(ModelError) -> (graph: Graph, weights: [String: WeightTensor]) {
        sweep { $0.rewrite($1) }
        sweep { $0.fold($1) }
        return try emit()
    }

    /// Rebuilds the nodes that the output needs.
    ///
    /// - Parameter add: appends a node, whose inputs are values of the new list, or something in its place, and returns
    ///   the value that stands for it.
    private mutating func sweep(_ add: (inout Rebuilder, LoweredGraph.Node) -> Int) {
        let readers = readers()
        var rebuilder = Rebuilder(input: input)
        var values = [Int](repeating: 0, count: nodes.count + 1)
        for index in nodes.indices where readers[index + 1] > 0 {
            var node = nodes[index]
            nodes[index].operation = .erf  // lets go of the weights, so that folding does not copy them
            node.inputs = node.inputs.map { values[$0] }
            rebuilder.readers[rebuilder.nodes.count + 1] = readers[index + 1]
            values[index + 1] = add(&rebuilder, node)
        }
        nodes = rebuilder.nodes
        output = values[output]
    }

    /// How often each value is read by nodes that the output needs; the output itself counts as a reader.
    private func readers() -> [Int] {
        var readers = [Int](repeating: 0, count: nodes.count + 1)
        readers[output] = 1
        for index in nodes.indices.reversed() where readers[index + 1] > 0 {
            for value in nodes[index].inputs { readers[value] += 1 }
        }
        return readers
    }

    private func emit() throws(ModelError) -> (graph: Graph, weights: [String: WeightTensor]) {
        let readers = readers()
        var graph = Graph(input: input, nodes: [])
        var weights: [String: WeightTensor] = [:]
        var values = [Int](repeating: 0, count: nodes.count + 1)
        for index in nodes.indices where readers[index + 1] > 0 {
            let node = nodes[index]
            let prefix = "encoder.\(graph.nodes.count)"
            func vector(_ name: String, _ values: [Float]) -> String {
                weights["\(prefix).\(name)"] = WeightTensor(shape: [values.count], values: values)
                return "\(prefix).\(name)"
            }
            let operation: Graph.Operation
            switch node.operation {
            case .convolution(let weight, let bias, let window, let groups):
                weights["\(prefix).weight"] = weight
                operation = .convolution(
                    weight: "\(prefix).weight", bias: bias.map { vector("bias", $0) }, window: window, groups: groups)
            case .dense(let weight, let bias):
                weights["\(prefix).weight"] = weight
                operation = .dense(weight: "\(prefix).weight", bias: bias.map { vector("bias", $0) })
            case .scaleShift(let scale, let shift):
                operation = .scaleShift(scale: vector("scale", scale), shift: vector("shift", shift))
            case .plain(let plain): operation = plain
            case .pad:
                throw ModelError("operator \(node.label): only padding in front of a convolution or pool is supported")
            case .erf: throw ModelError("operator \(node.label): only as part of GELU")
            }
            graph.nodes.append(
                Graph.Node(
                    name: node.name, operation: operation, inputs: node.inputs.map { values[$0] }, shape: node.shape))
            values[index + 1] = graph.nodes.count
        }
        guard values[output] == graph.nodes.count, !graph.nodes.isEmpty else {
            throw ModelError("the output is the image itself")
        }
        try graph.validate { weights[$0]?.shape }
        return (graph, weights)
    }
}

/// A list of nodes under construction, with the rules that may apply where a node is added.
struct Rebuilder {
    let input: Graph.Shape
    var nodes: [LoweredGraph.Node] = []
    /// Readers of values in the list before, by the value that they would have here.
    var readers: [Int: Int] = [:]

    init(input: Graph.Shape) { self.input = input }

    func producer(_ value: Int) -> LoweredGraph.Node? { value == 0 ? nil : nodes[value - 1] }

    mutating func append(_ node: LoweredGraph.Node) -> Int {
        nodes.append(node)
        return nodes.count
    }
}

// MARK: - Second sweep: what depends on a value having one reader

extension Rebuilder {
    /// Folds a scale and shift into the convolution or dense layer before it, and a flattening into the mean before it, where nothing else reads
    /// that layer.
    mutating func fold(_ node: LoweredGraph.Node) -> Int {
        let count = readers[nodes.count + 1]
        let value = node.inputs[0]
        guard value > 0, readers[value] == 1 else { return append(node) }
        switch (node.operation, nodes[value - 1].operation) {
        case (.scaleShift(let scale, let shift), .convolution(let weight, let bias, let window, let groups)):
            nodes[value - 1].operation = .erf
            let (scaled, shifted) = Self.scaled(consume weight, bias, scale, shift)
            nodes[value - 1].operation = .convolution(weight: scaled, bias: shifted, window: window, groups: groups)
        case (.scaleShift(let scale, let shift), .dense(let weight, let bias)):
            nodes[value - 1].operation = .erf
            let (scaled, shifted) = Self.scaled(consume weight, bias, scale, shift)
            nodes[value - 1].operation = .dense(weight: scaled, bias: shifted)
        case (.plain(.flatten), .plain(.globalAveragePool)):
            nodes[value - 1].shape = node.shape
        default: return append(node)
        }
        readers[value] = count
        return value
    }

    /// Weights and bias of a layer whose output is scaled and shifted.
    private static func scaled(
        _ weight: consuming WeightTensor, _ bias: [Float]?, _ scale: [Float], _ shift: [Float]
    ) -> (WeightTensor, [Float]) {
        if scale.contains(where: { $0 != 1 }) {
            let row = weight.values.count / scale.count
            for filter in scale.indices {
                for index in filter * row..<(filter + 1) * row { weight.values[index] *= scale[filter] }
            }
        }
        let bias = scale.indices.map { Float(Double(bias?[$0] ?? 0) * Double(scale[$0]) + Double(shift[$0])) }
        return (weight, bias)
    }
}
