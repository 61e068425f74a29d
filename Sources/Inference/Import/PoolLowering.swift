/// Windows, pools and means.
extension GraphImporter {
    /// The window that a `Conv` or pool node describes, its padding made explicit.
    ///
    /// - Parameter kernel: the weights' size; nil to read `kernel_shape`.
    func window(
        _ node: ONNXNode, height: Int, width: Int, kernel: (Int, Int)? = nil
    ) throws(ModelError) -> Graph.Window {
        func list(_ name: String, count: Int, default value: Int) throws(ModelError) -> [Int] {
            guard let values = try node.integers(name) else { return [Int](repeating: value, count: count) }
            guard values.count == count else { throw node.refused("\(name) has \(values.count) values, not \(count)") }
            guard values.allSatisfy({ (0...1 << 16).contains($0) }) else {
                throw node.refused("\(name) \(values) out of range")
            }
            return values.map { Int($0) }
        }
        let shape = try node.integers("kernel_shape").map { $0.map { Int(clamping: $0) } }
        let size: [Int]
        if let kernel {
            size = [kernel.0, kernel.1]
            guard shape == nil || shape == size else { throw node.refused("kernel_shape does not fit the weights") }
        } else {
            guard let shape, shape.count == 2 else { throw node.refused("only two-dimensional windows are supported") }
            size = shape
        }
        let strides = try list("strides", count: 2, default: 1)
        let dilations = try list("dilations", count: 2, default: 1)
        guard (size + strides + dilations).allSatisfy({ (1...1 << 16).contains($0) }) else {
            throw node.refused("a window's size, stride or dilation out of range")
        }
        var pads = try list("pads", count: 4, default: 0)
        let mode = try node.string("auto_pad", default: "NOTSET")
        switch mode {
        case "NOTSET", "": break
        case "VALID": pads = [0, 0, 0, 0]
        case "SAME_UPPER", "SAME_LOWER":
            for (axis, length) in [height, width].enumerated() {
                let outputs = (length + strides[axis] - 1) / strides[axis]
                let reach = (size[axis] - 1) * dilations[axis] + 1
                let total = max(0, (outputs - 1) * strides[axis] + reach - length)
                pads[axis] = mode == "SAME_UPPER" ? total / 2 : total - total / 2
                pads[axis + 2] = total - pads[axis]
            }
        default: throw node.refused("auto_pad \(mode)")
        }
        return Graph.Window(
            kernelHeight: size[0], kernelWidth: size[1], strideHeight: strides[0], strideWidth: strides[1],
            dilationHeight: dilations[0], dilationWidth: dilations[1],
            padTop: pads[0], padLeft: pads[1], padBottom: pads[2], padRight: pads[3])
    }

    mutating func lowerPool(_ node: ONNXNode) throws(ModelError) -> ActivationValue {
        guard node.outputs.dropFirst().allSatisfy(\.isEmpty) else { throw node.refused("with indices") }
        let input = try activation(node, 0)
        let (height, width, channels) = try channelsFirstImage(node, input)
        let window = try window(node, height: height, width: width)
        let outputs = try window.outputs(height: height, width: width, label: node.label)
        let rounds = try node.integer("ceil_mode", default: 0) != 0
        let shape = Graph.Shape.image(
            height: rounds ? outputs.height.ceiling : outputs.height.floor,
            width: rounds ? outputs.width.ceiling : outputs.width.floor, channels: channels)
        let operation: Graph.Operation
        if node.operation == "MaxPool" {
            operation = .maxPool(window: window)
        } else {
            let counts = try node.integer("count_include_pad", default: 0) != 0
            operation = .averagePool(window: window, countsPadding: counts)
        }
        return append(node, .plain(operation), [input], shape: shape, axes: [.batch, .channel, .height, .width])
    }

    mutating func lowerGlobalPool(_ node: ONNXNode) throws(ModelError) -> ActivationValue {
        let input = try activation(node, 0)
        guard case .image = lowered.shape(of: input.value) else { return input }
        let (height, width, channels) = try channelsFirstImage(node, input)
        let operation: Graph.Operation =
            node.operation == "GlobalAveragePool"
            ? .globalAveragePool : .maxPool(window: Graph.Window(kernelHeight: height, kernelWidth: width))
        return append(node, .plain(operation), [input], shape: .image(height: 1, width: 1, channels: channels))
    }

    /// A mean over all pixels.
    mutating func lowerReduceMean(_ node: ONNXNode) throws(ModelError) -> ActivationValue {
        let input = try activation(node, 0)
        let rank = input.axes.count
        let listed = try call(node).axes() ?? []
        if listed.isEmpty, try node.integer("noop_with_empty_axes", default: 0) != 0 { return input }
        let call = try call(node)
        let axes = Set(try listed.map { (value) throws(ModelError) in try call.axis(value, rank: rank) })
        let shape = lowered.shape(of: input.value)
        let reduced = axes.map { input.axes[$0] }.filter { $0 != .unit }
        let pixels = input.axes.filter { [.height, .width, .pixels].contains($0) }
        let keeps = try node.integer("keepdims", default: 1) != 0
        let remaining = input.axes.indices.compactMap { index -> ActivationValue.Axis? in
            axes.contains(index) ? (keeps ? .unit : nil) : input.axes[index]
        }
        if reduced.isEmpty { return ActivationValue(value: input.value, axes: remaining, order: input.order) }
        guard !listed.isEmpty, case .image = shape, reduced.count == pixels.count,
            reduced.allSatisfy({ pixels.contains($0) })
        else { throw node.refused("only means over height and width are supported, not over axes \(listed)") }
        return append(
            node, .plain(.globalAveragePool), [input], shape: .image(height: 1, width: 1, channels: shape.channels),
            axes: remaining)
    }

    /// Padding on its own, which must fold into a convolution or pool behind it.
    mutating func lowerPad(_ node: ONNXNode) throws(ModelError) -> ActivationValue {
        let mode = try node.string("mode", default: "constant")
        guard mode == "constant" else { throw node.refused("mode \(mode)") }
        let input = try activation(node, 0)
        let shape = lowered.shape(of: input.value)
        let rank = input.axes.count
        let call = try call(node)
        let pads = try call.known(requiredConstant(node, 1))
        let listed = try constant(node, 3).map { (tensor) throws(ModelError) in try call.known(tensor) }
        let axes = try (listed ?? Array(0..<rank)).map { (value) throws(ModelError) in try call.axis(value, rank: rank)
        }
        guard pads.count == 2 * axes.count, Set(axes).count == axes.count else {
            throw node.refused("\(pads.count) amounts for \(axes.count) axes")
        }
        guard pads.allSatisfy({ (0...1 << 16).contains($0) }) else {
            throw node.refused("amounts \(pads) out of range")
        }
        if pads.allSatisfy({ $0 == 0 }) { return input }
        let value = try constant(node, 2) == nil ? 0 : floats(node, 2, count: 1)[0]

        guard case .image(let height, let width, let channels) = shape, rank == 4 else {
            throw node.refused("of a vector")
        }
        var amounts: [ActivationValue.Axis: (before: Int, after: Int)] = [:]
        // The meaning of an axis of size 1 goes by its place.
        let isChannelsFirst = input.axes == ActivationValue.channelsFirst(shape)
        for (index, axis) in axes.enumerated() where pads[index] != 0 || pads[index + axes.count] != 0 {
            let meaning = isChannelsFirst ? [.batch, .channel, .height, .width][axis] : input.axes[axis]
            guard meaning == .height || meaning == .width else {
                throw node.refused("of an axis that is not height or width")
            }
            amounts[meaning] = (pads[index], pads[index + axes.count])
        }
        let vertical = amounts[.height] ?? (0, 0)
        let horizontal = amounts[.width] ?? (0, 0)
        let operation = LoweredGraph.Operation.pad(
            top: vertical.before, left: horizontal.before, bottom: vertical.after, right: horizontal.after, value: value
        )
        let padded = Graph.Shape.image(
            height: height + vertical.before + vertical.after, width: width + horizontal.before + horizontal.after,
            channels: channels)
        let meanings = isChannelsFirst ? [.batch, .channel, .height, .width] : input.axes
        return append(node, operation, [input], shape: padded, axes: meanings)
    }
}
