/// Operators that pick and join channels.
extension GraphImporter {
    mutating func lowerConcat(_ node: ONNXNode) throws(ModelError) -> ActivationValue {
        var inputs: [ActivationValue] = []
        for index in node.inputs.indices { inputs.append(try activation(node, index)) }
        // A vector may be an image of one pixel beside another that is flat.
        if inputs.contains(where: { if case .vector = lowered.shape(of: $0.value) { true } else { false } }) {
            for index in inputs.indices where lowered.shape(of: inputs[index].value).isFlat {
                let axes = inputs[index].axes
                inputs[index] = try flattened(inputs[index], label: node.label, name: node.name)
                inputs[index].axes = axes
            }
        }
        let first = inputs[0]
        let axis = try call(node).axis(Int(clamping: node.integer("axis", default: 0)), rank: first.axes.count)
        var channels = 0
        var order: [Int] = []
        for input in inputs {
            let shape = lowered.shape(of: input.value)
            guard input.axes.count == first.axes.count, isChannel(axis, of: input),
                lowered.shape(of: first.value).withChannels(1) == shape.withChannels(1),
                input.axes.indices.allSatisfy({ $0 == axis || input.axes[$0] == first.axes[$0] })
            else { throw node.refused("along another axis than that of the channels, or of unlike shapes") }
            guard channels + shape.channels <= Graph.maximumDimension else { throw node.refused("too many channels") }
            order += (input.order ?? Array(0..<shape.channels)).map { $0 + channels }
            channels += shape.channels
        }
        var axes = first.axes
        axes[axis] = .channel
        let shape = lowered.shape(of: first.value).withChannels(channels)
        return try append(
            node, .plain(.concatenate), inputs, shape: shape, axes: axes,
            order: inputs.contains { $0.order != nil } ? order : nil)
    }

    /// Whether an axis is that of the channels; with one channel, any axis of size 1 may stand for it.
    private func isChannel(_ axis: Int, of input: ActivationValue) -> Bool {
        input.axes[axis] == .channel
            || input.axes[axis] == .unit && lowered.shape(of: input.value).channels == 1
    }

    mutating func lowerGather(_ node: ONNXNode) throws(ModelError) -> ActivationValue {
        let input = try activation(node, 0)
        let call = try call(node)
        let axis = try call.axis(Int(clamping: node.integer("axis", default: 0)), rank: input.axes.count)
        let indices = try requiredConstant(node, 1)
        guard indices.shape.count <= 1 else { throw node.refused("indices of \(indices.shape.count) dimensions") }
        let picked = try pick(node, input, axis: axis, call.known(indices))
        guard indices.shape.isEmpty else { return picked }
        var axes = picked.axes
        axes.remove(at: axis)
        return ActivationValue(value: picked.value, axes: axes, order: picked.order)
    }

    /// The channels at `indices`, which may be counted from the end.
    private mutating func pick(
        _ node: ONNXNode, _ input: ActivationValue, axis: Int, _ indices: [Int]
    ) throws(ModelError) -> ActivationValue {
        let shape = lowered.shape(of: input.value)
        guard isChannel(axis, of: input), input.order == nil else {
            throw node.refused("along another axis than that of the channels")
        }
        let places = indices.map { $0 < 0 ? $0 + shape.channels : $0 }
        guard !places.isEmpty, places.count <= Graph.maximumDimension,
            places.allSatisfy({ (0..<shape.channels).contains($0) })
        else { throw node.refused("a channel that is not there") }
        if places == Array(0..<shape.channels) { return input }
        var axes = input.axes
        axes[axis] = .channel
        return try append(
            node, .plain(.gatherChannels(indices: places)), [input], shape: shape.withChannels(places.count), axes: axes
        )
    }

    mutating func lowerSlice(_ node: ONNXNode) throws(ModelError) -> ActivationValue {
        var result = try activation(node, 0)
        // The batch counts as large: a slice that takes all of it is the only one possible.
        let batchSize = 1 << 31
        let shape = lowered.shape(of: result.value)
        let sizes = result.axes.map { ActivationValue.size(of: $0, in: shape) ?? batchSize }
        for slice in try call(node).slices(sizes: sizes) {
            if slice.start == 0, slice.step == 1, slice.count == sizes[slice.axis] { continue }
            guard result.axes[slice.axis] == .channel, slice.count > 0 else {
                throw node.refused("along another axis than that of the channels")
            }
            let indices = (0..<slice.count).map { slice.start + $0 * slice.step }
            result = try pick(node, result, axis: slice.axis, indices)
        }
        return result
    }

    mutating func lowerSplit(_ node: ONNXNode) throws(ModelError) -> [ActivationValue] {
        let input = try activation(node, 0)
        let call = try call(node)
        let axis = try call.axis(Int(clamping: node.integer("axis", default: 0)), rank: input.axes.count)
        let channels = lowered.shape(of: input.value).channels
        var parts: [ActivationValue] = []
        for range in try call.splitSizes(of: channels) {
            parts.append(try pick(node, input, axis: axis, Array(range)))
        }
        return parts
    }
}
