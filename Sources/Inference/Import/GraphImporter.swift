/// Turns an ONNX graph into the portable graph: walks over the nodes that the output needs, evaluates those that do not depend on
/// pixels, and lowers the others. Operators are lowered in the extensions of this type.
struct GraphImporter {
    let opset: Int
    let data: ONNXExternalData
    var lowered: LoweredGraph
    var values: [String: ImportedValue] = [:]
    var evaluator = ConstantEvaluator()
    /// The batch size that the file fixes, if it fixes one: constants that hold it are taken for the batch.
    var fixedBatch: Int?

    /// Imports an encoder.
    ///
    /// - Parameters:
    ///   - path: the ONNX file.
    ///   - height: pixels of the input, which the file may leave open.
    ///   - input: name of the image input; nil for the only one.
    ///   - output: name of the output; nil for the only one.
    /// - Returns: the graph, which makes one vector, and its weights by name.
    static func importEncoder(
        path: String, height: Int, width: Int, input: String? = nil, output: String? = nil
    ) throws(ModelError) -> (graph: Graph, weights: [String: WeightTensor]) {
        do throws(ModelError) {
            let model = try ONNXModel(file: MappedFile(path: path))
            var importer = GraphImporter(
                opset: model.opset, data: ONNXExternalData(model: path),
                lowered: LoweredGraph(input: .image(height: height, width: width, channels: 3)))
            return try importer.run(model.graph, input: input, output: output)
        } catch {
            throw error.inFile(path)
        }
    }

    private mutating func run(
        _ graph: ONNXGraph, input: String?, output: String?
    ) throws(ModelError) -> (graph: Graph, weights: [String: WeightTensor]) {
        let candidates = graph.inputs.filter { graph.initializers[$0.name] == nil }
        let image = try Self.pick(input, from: candidates, "input")
        let result = try Self.pick(output, from: graph.outputs, "output")
        try checkInput(image)
        for (name, tensor) in graph.initializers { values[name] = .weight(tensor) }
        values[image.name] = .activation(
            ActivationValue(value: 0, axes: ActivationValue.channelsFirst(lowered.input)))
        for node in try Self.needed(graph, for: result.name) { try visit(node) }

        guard case .activation(var feature) = values[result.name] else {
            throw ModelError("the output \"\(result.name)\" does not depend on the image")
        }
        feature = try flattened(feature, label: "output \"\(result.name)\"", name: result.name)
        if let order = feature.order {
            // The decoder's weights are in ONNX's order of features.
            var places = [Int](repeating: 0, count: order.count)
            for (place, index) in order.enumerated() { places[index] = place }
            feature.value = lowered.append(
                LoweredGraph.Node(
                    label: "output", name: result.name, operation: .plain(.gatherChannels(indices: places)),
                    inputs: [feature.value], shape: .vector(order.count)))
        }
        var simplifier = GraphSimplifier(lowered, output: feature.value)
        return try simplifier.run()
    }

    private static func pick(
        _ name: String?, from list: [ONNXValueInfo], _ kind: String
    ) throws(ModelError) -> ONNXValueInfo {
        let names = list.map { "\"\($0.name)\"" }.joined(separator: ", ")
        if let name {
            guard let found = list.first(where: { $0.name == name }) else {
                throw ModelError("no \(kind) \"\(name)\"; the file has \(names.isEmpty ? "none" : names)")
            }
            return found
        }
        guard let only = list.first, list.count == 1 else {
            throw ModelError("\(list.count) \(kind)s (\(names)); name the one to use in the configuration")
        }
        return only
    }

    private mutating func checkInput(_ image: ONNXValueInfo) throws(ModelError) {
        guard case .image(let height, let width, let channels) = lowered.input, let shape = image.shape else { return }
        guard shape.count == 4 else {
            throw ModelError(
                "input \"\(image.name)\" has \(shape.count) dimensions, not batch, channels, height, width")
        }
        for (dimension, (name, size)) in zip(
            shape[1...], [("channels", channels), ("height", height), ("width", width)])
        {
            if case .fixed(let fixed) = dimension, fixed != Int64(size) {
                throw ModelError(
                    "input \"\(image.name)\" is fixed to \(fixed) for \(name), and the configuration says \(size)")
            }
        }
        if case .fixed(let batch) = shape[0] { fixedBatch = Int(clamping: batch) }
    }

    /// The nodes that a value needs, in the file's order.
    private static func needed(_ graph: ONNXGraph, for output: String) throws(ModelError) -> [ONNXNode] {
        var producers: [String: Int] = [:]
        for (index, node) in graph.nodes.enumerated() {
            for name in node.outputs where !name.isEmpty {
                guard producers.updateValue(index, forKey: name) == nil else {
                    throw ModelError("damaged ONNX graph: two nodes make \"\(name)\"")
                }
            }
        }
        var isNeeded = [Bool](repeating: false, count: graph.nodes.count)
        var open = [output]
        while let name = open.popLast() {
            guard let index = producers[name], !isNeeded[index] else { continue }
            isNeeded[index] = true
            open += graph.nodes[index].inputs
        }
        return graph.nodes.indices.filter { isNeeded[$0] }.map { graph.nodes[$0] }
    }

    private mutating func visit(_ node: ONNXNode) throws(ModelError) {
        guard node.domain.isEmpty || node.domain == "ai.onnx" else {
            throw node.refused("not supported (domain \(node.domain))")
        }
        for name in node.inputs where !name.isEmpty && values[name] == nil {
            throw node.refused("reads \"\(name)\", which no node before it makes")
        }
        let results: [ImportedValue]
        if dependsOnImage(node) {
            results = try lower(node)
        } else if ["Identity", "Dropout"].contains(node.operation), let name = node.inputs.first,
            let value = values[name]
        {
            results = [value]  // without decoding a large weight
        } else {
            guard ConstantEvaluator.supports(node.operation) else { throw node.refused("not supported") }
            var inputs: [ConstantTensor?] = []
            for index in node.inputs.indices { inputs.append(try constant(node, index)) }
            results = try evaluator.evaluate(node, inputs, opset: opset, data: data).map { .constant($0) }
        }
        for (name, value) in zip(node.outputs, results) where !name.isEmpty {
            guard values.updateValue(value, forKey: name) == nil else {
                throw ModelError("damaged ONNX graph: \"\(name)\" is made twice")
            }
        }
    }

    private func dependsOnImage(_ node: ONNXNode) -> Bool {
        node.inputs.contains { if case .activation = values[$0] { true } else { false } }
    }
}

extension GraphImporter {
    /// The constant that a node reads; nil where the input is left out.
    func constant(_ node: ONNXNode, _ index: Int) throws(ModelError) -> ConstantTensor? {
        guard index < node.inputs.count, !node.inputs[index].isEmpty else { return nil }
        switch values[node.inputs[index]] {
        case .constant(let tensor): return tensor
        case .weight(let tensor): return try tensor.decoded(external: data)
        case .activation: throw node.refused("input \(index) must be a constant, and depends on the image")
        case nil: return nil
        }
    }

    func requiredConstant(_ node: ONNXNode, _ index: Int) throws(ModelError) -> ConstantTensor {
        guard let tensor = try constant(node, index) else { throw node.refused("input \(index) is missing") }
        return tensor
    }

    /// The floats of a constant that a node reads.
    func floats(_ node: ONNXNode, _ index: Int, count: Int? = nil) throws(ModelError) -> [Float] {
        let values = try requiredConstant(node, index).floats { node.refused($0) }
        if let count, values.count != count {
            throw node.refused("input \(index) has \(values.count) elements, not \(count)")
        }
        return values
    }

    /// A node's call with its constant inputs; those that depend on the image are nil.
    func call(_ node: ONNXNode) throws(ModelError) -> ConstantCall {
        var inputs: [ConstantTensor?] = []
        for name in node.inputs.indices {
            if case .activation = values[node.inputs[name]] {
                inputs.append(nil)
            } else {
                inputs.append(try constant(node, name))
            }
        }
        return ConstantCall(node: node, inputs: inputs, opset: opset, data: data)
    }

    func activation(_ node: ONNXNode, _ index: Int) throws(ModelError) -> ActivationValue {
        guard index < node.inputs.count, case .activation(let value) = values[node.inputs[index]] else {
            throw node.refused("input \(index) must depend on the image")
        }
        return value
    }

    /// Appends a node that keeps the meaning of the axes.
    mutating func append(
        _ node: ONNXNode, _ operation: LoweredGraph.Operation, _ inputs: [ActivationValue], shape: Graph.Shape,
        axes: [ActivationValue.Axis]? = nil, order: [Int]? = nil
    ) -> ActivationValue {
        let value = lowered.append(
            LoweredGraph.Node(
                label: node.label, name: node.name, operation: operation, inputs: inputs.map(\.value), shape: shape))
        return ActivationValue(
            value: value, axes: ActivationValue.normalized(axes ?? inputs[0].axes, for: shape), order: order)
    }

    /// The same elements as a vector.
    mutating func flattened(_ activation: ActivationValue, label: String, name: String) throws(ModelError)
        -> ActivationValue
    {
        let shape = lowered.shape(of: activation.value)
        guard case .image = shape else { return activation }
        let value = lowered.append(
            LoweredGraph.Node(
                label: label, name: name, operation: .plain(.flatten), inputs: [activation.value],
                shape: .vector(shape.count)))
        return ActivationValue(value: value, axes: [.batch, .channel], order: activation.flattenedOrder(shape))
    }
}
