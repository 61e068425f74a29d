/// Evaluates the operators of subgraphs that do not depend on pixels, with ONNX's integer semantics: division truncates
/// toward zero, and nothing wraps round silently. This file holds the dispatch and the limits; the operators' families have files of their own.
struct ConstantEvaluator {
    /// Most elements that one result may have, where it is larger than all of its inputs.
    static let maximumGrownElements = 1 << 22
    /// Most elements of all results together, beyond those of the file's weights.
    static let maximumTotalElements = 1 << 28

    private var total = 0

    static func supports(_ operation: String) -> Bool {
        arithmetic[operation] != nil || unary[operation] != nil || layout.contains(operation)
            || ["Where", "ReduceProd", "ReduceSum", "ReduceMin", "ReduceMax"].contains(operation)
    }

    /// - Parameters:
    ///   - inputs: the node's inputs; nil where an optional one is left out.
    ///   - constant: reads the tensor of a `Constant` node's attribute.
    /// - Returns: a tensor for each output.
    mutating func evaluate(
        _ node: ONNXNode, _ inputs: [ConstantTensor?], opset: Int, data: ONNXExternalData
    ) throws(ModelError) -> [ConstantTensor] {
        let call = ConstantCall(node: node, inputs: inputs, opset: opset, data: data)
        let results: [ConstantTensor]
        if let operation = Self.arithmetic[node.operation] {
            results = [try call.elementwise(operation)]
        } else if let operation = Self.unary[node.operation] {
            results = [try call.unary(operation)]
        } else if node.operation == "Where" {
            results = [try call.select()]
        } else if node.operation.hasPrefix("Reduce") {
            results = [try call.reduce()]
        } else {
            results = try call.rearrange()
        }
        for result in results { total += result.count }
        guard total <= Self.maximumTotalElements else {
            throw node.refused("the constants of this graph take too much memory")
        }
        return results
    }
}

/// One evaluation: a node and its inputs.
struct ConstantCall {
    let node: ONNXNode
    let inputs: [ConstantTensor?]
    let opset: Int
    let data: ONNXExternalData

    func refused(_ reason: String) -> ModelError { node.refused(reason) }

    func input(_ index: Int) throws(ModelError) -> ConstantTensor {
        guard let input = optional(index) else { throw refused("input \(index) is missing") }
        return input
    }

    func optional(_ index: Int) -> ConstantTensor? { index < inputs.count ? inputs[index] : nil }

    /// Elements that a shape has, checked before memory is taken for them.
    func checkedCount(_ shape: [Int]) throws(ModelError) -> Int {
        let limit = max(ConstantEvaluator.maximumGrownElements, inputs.map { $0?.count ?? 0 }.max() ?? 0)
        guard shape.count <= ONNXTensor.maximumRank else { throw refused("a tensor of \(shape.count) dimensions") }
        // Zeros are left out at first, so that no product of the other dimensions can overflow later.
        var product = 1
        for size in shape {
            guard size >= 0 else { throw refused("a negative dimension") }
            guard size <= limit, product * max(size, 1) <= limit else {
                throw refused("a constant of too many elements")
            }
            product *= max(size, 1)
        }
        return shape.contains(0) ? 0 : product
    }

    /// The values of an integer input that does not hold the batch size.
    func known(_ tensor: ConstantTensor) throws(ModelError) -> [Int] {
        try tensor.knownIntegers { refused($0) }
    }

    /// An axis counted from the end if negative.
    func axis(_ value: Int, rank: Int) throws(ModelError) -> Int {
        let axis = value < 0 ? value + rank : value
        guard axis >= 0, axis < rank else { throw refused("axis \(value) of a tensor of \(rank) dimensions") }
        return axis
    }

    /// The axes in an attribute (older opsets) or an input (newer ones); nil where there are none.
    func axes(attribute: String = "axes", input index: Int = 1) throws(ModelError) -> [Int]? {
        if let axes = try node.integers(attribute) { return axes.map { Int(clamping: $0) } }
        return try optional(index).map { (tensor) throws(ModelError) in try known(tensor) }
    }
}

extension ConstantTensor {
    /// The values, if they are integers and none is the batch size.
    func knownIntegers(_ refuse: (String) -> ModelError) throws(ModelError) -> [Int] {
        guard case .integers(let integers) = elements else { throw refuse("floats where integers are needed") }
        var values: [Int] = []
        values.reserveCapacity(integers.count)
        for integer in integers {
            guard case .known(let value) = integer else { throw refuse("needs the batch size, which stays open") }
            values.append(Int(value))
        }
        return values
    }

    func floats(_ refuse: (String) -> ModelError) throws(ModelError) -> [Float] {
        guard case .floats(let values) = elements else { throw refuse("integers where floats are needed") }
        return values
    }
}
