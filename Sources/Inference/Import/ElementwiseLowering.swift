/// Arithmetic between values and with constants, and activation functions.
extension GraphImporter {
    mutating func lowerArithmetic(_ node: ONNXNode) throws(ModelError) -> ActivationValue {
        guard node.inputs.count == 2 || node.operation == "Sum" && !node.inputs.isEmpty else {
            throw node.refused("has \(node.inputs.count) inputs")
        }
        if node.inputs.count == 1 { return try activation(node, 0) }
        var operands: [ActivationValue] = []
        for index in node.inputs.indices {
            if case .activation(let value) = values[node.inputs[index]] { operands.append(value) }
        }
        guard operands.count == node.inputs.count else {
            guard node.inputs.count == 2 else { throw node.refused("of constants and more than one value") }
            return try withConstant(node)
        }
        let operation: Graph.Operation
        switch node.operation {
        case "Add", "Sum": operation = .add
        case "Mul": operation = .multiply
        case "Sub":
            operation = .add
            operands[1] = try negated(node, operands[1])
        default: throw node.refused("of two values that depend on the image")
        }
        var result = operands[0]
        for operand in operands.dropFirst() { result = try combine(node, operation, result, operand) }
        return result
    }

    private mutating func negated(_ node: ONNXNode, _ input: ActivationValue) throws(ModelError) -> ActivationValue {
        let shape = lowered.shape(of: input.value)
        let operation = LoweredGraph.Operation.scaleShift(
            scale: [Float](repeating: -1, count: shape.channels), shift: [Float](repeating: 0, count: shape.channels))
        return try append(node, operation, [input], shape: shape, order: input.order)
    }

    private mutating func combine(
        _ node: ONNXNode, _ operation: Graph.Operation, _ a: ActivationValue, _ b: ActivationValue
    ) throws(ModelError) -> ActivationValue {
        let shapes = (lowered.shape(of: a.value), lowered.shape(of: b.value))
        let rank = max(a.axes.count, b.axes.count)
        let left = [ActivationValue.Axis](repeating: .unit, count: rank - a.axes.count) + a.axes
        let right = [ActivationValue.Axis](repeating: .unit, count: rank - b.axes.count) + b.axes
        var axes: [ActivationValue.Axis] = []
        for (x, y) in zip(left, right) {
            guard x == y || x == .unit || y == .unit else { throw node.refused("axes of different meaning meet") }
            axes.append(x == .unit ? y : x)
        }
        // [batch, channels, 1, 1] with [batch, channels] would be every image with every other.
        let meanings = axes.filter { $0 != .unit }
        guard meanings.indices.allSatisfy({ !meanings[..<$0].contains(meanings[$0]) }) else {
            throw node.refused("values whose axes do not line up")
        }
        if shapes.0 == shapes.1, a.order == b.order, left == right {
            return try append(node, .plain(operation), [a, b], shape: shapes.0, axes: axes, order: a.order)
        }
        let isPerChannel = { (shape: Graph.Shape) in shape.count == shape.channels }
        guard a.order == nil, b.order == nil, shapes.0.channels == shapes.1.channels,
            isPerChannel(shapes.0) || isPerChannel(shapes.1)
        else { throw node.refused("\(shapes.0) with \(shapes.1)") }
        let (large, small) = isPerChannel(shapes.1) ? (a, b) : (b, a)
        return try append(node, .plain(operation), [large, small], shape: lowered.shape(of: large.value), axes: axes)
    }

    /// A value with a constant for each channel, or one for all.
    private mutating func withConstant(_ node: ONNXNode) throws(ModelError) -> ActivationValue {
        let place = if case .activation = values[node.inputs[0]] { 0 } else { 1 }
        let input = try activation(node, place)
        let shape = lowered.shape(of: input.value)
        let constants = try perChannel(node, requiredConstant(node, 1 - place), input)
        let count = shape.channels
        let ones = [Float](repeating: 1, count: count)
        let zeros = [Float](repeating: 0, count: count)
        let operation: LoweredGraph.Operation
        switch (node.operation, place) {
        case ("Add", _), ("Sum", _): operation = .scaleShift(scale: ones, shift: constants)
        case ("Mul", _): operation = .scaleShift(scale: constants, shift: zeros)
        case ("Sub", 0): operation = .scaleShift(scale: ones, shift: constants.map { -$0 })
        case ("Sub", _): operation = .scaleShift(scale: ones.map { -$0 }, shift: constants)
        case ("Div", 0): operation = .scaleShift(scale: constants.map { 1 / $0 }, shift: zeros)
        default: throw node.refused("a constant divided by the image")
        }
        return try append(node, operation, [input], shape: shape, order: input.order)
    }

    /// A constant that broadcasts over all but the channels, as one number a channel, in the value's order.
    private func perChannel(
        _ node: ONNXNode, _ constant: ConstantTensor, _ input: ActivationValue
    ) throws(ModelError) -> [Float] {
        let values = try constant.floats { node.refused($0) }
        let count = lowered.shape(of: input.value).channels
        if values.count == 1, constant.shape.count <= input.axes.count {
            return [Float](repeating: values[0], count: count)
        }
        let skipped = input.axes.count - constant.shape.count
        guard skipped >= 0, values.count == count,
            constant.shape.indices.allSatisfy({ constant.shape[$0] == 1 || input.axes[skipped + $0] == .channel })
        else {
            throw node.refused("a constant of shape \(constant.shape), which is neither one number nor one a channel")
        }
        return input.order.map { $0.map { values[$0] } } ?? values
    }

    mutating func lowerActivation(_ node: ONNXNode) throws(ModelError) -> ActivationValue {
        let input = try activation(node, 0)
        let function: Graph.Activation
        switch node.operation {
        case "Relu": function = .relu
        case "Sigmoid": function = .sigmoid
        case "HardSwish": function = .hardSwish
        case "HardSigmoid":
            function = .hardSigmoid(
                alpha: try node.float("alpha", default: 0.2), beta: try node.float("beta", default: 0.5))
        case "Gelu":
            let kind = try node.string("approximate", default: "none")
            guard kind == "none" else { throw node.refused("approximate=\(kind)") }
            function = .gelu
        case "Clip":
            return try limit(node, input, minimum: bound(node, 1, "min"), maximum: bound(node, 2, "max"))
        case "Neg": return try negated(node, input)
        default: return try append(node, .erf, [input], shape: lowered.shape(of: input.value), order: input.order)
        }
        return try append(
            node, .plain(.activation(function)), [input], shape: lowered.shape(of: input.value), order: input.order)
    }

    /// A limit of `Clip`: an input, or as some exporters still write it an attribute.
    private func bound(_ node: ONNXNode, _ index: Int, _ attribute: String) throws(ModelError) -> Float? {
        if node.attributes[attribute] != nil { return try node.float(attribute, default: 0) }
        return try constant(node, index) == nil ? nil : floats(node, index, count: 1)[0]
    }

    /// `Max` or `Min` with one number.
    mutating func lowerLimit(_ node: ONNXNode) throws(ModelError) -> ActivationValue {
        guard node.inputs.count == 2 else { throw node.refused("has \(node.inputs.count) inputs") }
        let place = if case .activation = values[node.inputs[0]] { 0 } else { 1 }
        let value = try floats(node, 1 - place, count: 1)[0]
        let isMaximum = node.operation == "Max"
        return try limit(
            node, activation(node, place), minimum: isMaximum ? value : nil, maximum: isMaximum ? nil : value)
    }

    private mutating func limit(
        _ node: ONNXNode, _ input: ActivationValue, minimum: Float?, maximum: Float?
    ) throws(ModelError) -> ActivationValue {
        // JSON has no infinity; ONNX's own defaults are the largest finite numbers.
        let lower = max(minimum ?? -.greatestFiniteMagnitude, -.greatestFiniteMagnitude)
        let upper = min(maximum ?? .greatestFiniteMagnitude, .greatestFiniteMagnitude)
        guard lower <= upper else { throw node.refused("limits \(lower) and \(upper)") }
        let function: Graph.Activation =
            lower == 0 && upper == .greatestFiniteMagnitude ? .relu : .clip(minimum: lower, maximum: upper)
        return try append(
            node, .plain(.activation(function)), [input], shape: lowered.shape(of: input.value), order: input.order)
    }
}
