/// Convolutions, dense layers and batch normalisation.
extension GraphImporter {
    /// Height, width and channels of an input in NCHW order.
    func channelsFirstImage(
        _ node: ONNXNode, _ activation: ActivationValue
    ) throws(ModelError) -> (height: Int, width: Int, channels: Int) {
        let shape = lowered.shape(of: activation.value)
        guard case .image(let height, let width, let channels) = shape,
            activation.axes == ActivationValue.channelsFirst(shape)
        else { throw node.refused("its input is not [batch, channels, height, width]") }
        return (height, width, channels)
    }

    mutating func lowerConvolution(_ node: ONNXNode) throws(ModelError) -> ActivationValue {
        let input = try activation(node, 0)
        let weight = try requiredConstant(node, 1)
        let values = try weight.floats { node.refused($0) }
        guard weight.shape.count == 4, weight.count > 0 else {
            throw node.refused("weights of shape \(weight.shape); only two-dimensional convolutions are supported")
        }
        let (out, inner, rows, columns) = (weight.shape[0], weight.shape[1], weight.shape[2], weight.shape[3])
        let bias = try constant(node, 2) == nil ? nil : floats(node, 2, count: out)
        let groups = Int(clamping: try node.integer("group", default: 1))

        if case .vector(let features) = lowered.shape(of: input.value) {
            // One pixel: a dense layer.
            guard rows == 1, columns == 1, groups == 1, inner == features, input.axes.count == 4, input.order == nil,
                try (node.integers("pads") ?? []).allSatisfy({ $0 == 0 })
            else { throw node.refused("over a vector that is no 1×1 convolution") }
            let dense = WeightTensor(shape: [out, inner], values: values)
            return append(node, .dense(weight: dense, bias: bias), [input], shape: .vector(out))
        }

        let (height, width, channels) = try channelsFirstImage(node, input)
        guard groups >= 1, channels % groups == 0, out % groups == 0, inner == channels / groups else {
            throw node.refused("weights of shape \(weight.shape) do not fit \(channels) channels in \(groups) groups")
        }
        let window = try window(node, height: height, width: width, kernel: (rows, columns))
        let size = try window.outputs(height: height, width: width, label: node.label)
        let shape = Graph.Shape.image(height: size.height.floor, width: size.width.floor, channels: out)
        let permuted = WeightTensor(
            shape: [out, rows, columns, inner],
            values: Self.channelsLast(values, out: out, inner: inner, pixels: rows * columns))
        let operation = LoweredGraph.Operation.convolution(weight: permuted, bias: bias, window: window, groups: groups)
        return append(node, operation, [input], shape: shape, axes: [.batch, .channel, .height, .width])
    }

    /// OIHW → OHWI.
    private static func channelsLast(_ values: [Float], out: Int, inner: Int, pixels: Int) -> [Float] {
        guard pixels > 1, inner > 1 else { return values }
        return [Float](unsafeUninitializedCapacity: values.count) { buffer, initialized in
            var place = 0
            for filter in 0..<out {
                for pixel in 0..<pixels {
                    for channel in 0..<inner {
                        buffer[place] = values[(filter * inner + channel) * pixels + pixel]
                        place += 1
                    }
                }
            }
            initialized = place
        }
    }

    mutating func lowerGemm(_ node: ONNXNode) throws(ModelError) -> ActivationValue {
        guard try node.integer("transA", default: 0) == 0 else { throw node.refused("with transA") }
        let weight = try requiredConstant(node, 1)
        let alpha = try node.float("alpha", default: 1)
        let beta = try node.float("beta", default: 1)
        let isTransposed = try node.integer("transB", default: 0) != 0
        var bias: [Float]?
        if let tensor = try constant(node, 2) {
            let values = try tensor.floats { node.refused($0) }
            let out = weight.shape.count == 2 ? weight.shape[isTransposed ? 0 : 1] : 0
            guard values.count == out || values.count == 1, tensor.shape.dropLast().allSatisfy({ $0 == 1 }) else {
                throw node.refused("a bias of shape \(tensor.shape)")
            }
            bias = (values.count == 1 ? [Float](repeating: values[0], count: out) : values).map { $0 * beta }
        }
        return try dense(node, activation(node, 0), weight, isTransposed: isTransposed, alpha: alpha, bias: bias)
    }

    mutating func lowerMatMul(_ node: ONNXNode) throws(ModelError) -> ActivationValue {
        let input = try activation(node, 0)
        let weight = try requiredConstant(node, 1)
        let shape = lowered.shape(of: input.value)
        if case .image(let height, let width, let channels) = shape, height * width > 1, input.axes.last == .channel {
            // A product at each pixel: a 1×1 convolution.
            let weight = try outputsFirst(node, weight, features: channels, isTransposed: false, alpha: 1)
            let tensor = WeightTensor(shape: [weight.shape[0], 1, 1, channels], values: weight.values)
            let operation = LoweredGraph.Operation.convolution(
                weight: tensor, bias: nil, window: Graph.Window(kernelHeight: 1, kernelWidth: 1), groups: 1)
            return append(node, operation, [input], shape: shape.withChannels(weight.shape[0]))
        }
        return try dense(node, input, weight, isTransposed: false, alpha: 1, bias: nil)
    }

    /// - Parameter isTransposed: whether `weight` is `[out, in]`.
    private mutating func dense(
        _ node: ONNXNode, _ activation: ActivationValue, _ weight: ConstantTensor, isTransposed: Bool, alpha: Float,
        bias: [Float]?
    ) throws(ModelError) -> ActivationValue {
        let shape = lowered.shape(of: activation.value)
        guard activation.axes.first == .batch, let last = activation.axes.last, last == .channel || shape.count == 1,
            activation.elementAxes.count <= 1
        else { throw node.refused("its input is not [batch, features]") }
        let input = try flattened(activation, label: node.label, name: node.name)
        var matrix = try outputsFirst(node, weight, features: shape.count, isTransposed: isTransposed, alpha: alpha)
        if let order = input.order {
            let (rows, columns) = (matrix.shape[0], matrix.shape[1])
            let source = matrix.values
            matrix.values = [Float](unsafeUninitializedCapacity: source.count) { buffer, initialized in
                for row in 0..<rows {
                    for column in 0..<columns { buffer[row * columns + column] = source[row * columns + order[column]] }
                }
                initialized = source.count
            }
        }
        let out = matrix.shape[0]
        var axes = activation.axes
        axes[axes.count - 1] = .channel
        return append(node, .dense(weight: matrix, bias: bias), [input], shape: .vector(out), axes: axes)
    }

    /// A matrix as `[out, in]`, times `alpha`.
    private func outputsFirst(
        _ node: ONNXNode, _ weight: ConstantTensor, features: Int, isTransposed: Bool, alpha: Float
    ) throws(ModelError) -> WeightTensor {
        let values = try weight.floats { node.refused($0) }
        guard weight.shape.count == 2, weight.count > 0, weight.shape[isTransposed ? 1 : 0] == features else {
            throw node.refused("weights of shape \(weight.shape) do not fit \(features) features")
        }
        let out = weight.shape[isTransposed ? 0 : 1]
        var matrix = values
        if !isTransposed {
            matrix = [Float](unsafeUninitializedCapacity: values.count) { buffer, initialized in
                for row in 0..<out {
                    for column in 0..<features { buffer[row * features + column] = values[column * out + row] }
                }
                initialized = values.count
            }
        }
        if alpha != 1 { matrix = matrix.map { $0 * alpha } }
        return WeightTensor(shape: [out, features], values: matrix)
    }

    mutating func lowerBatchNormalization(_ node: ONNXNode) throws(ModelError) -> ActivationValue {
        guard try node.integer("training_mode", default: 0) == 0 else { throw node.refused("in training mode") }
        let input = try activation(node, 0)
        let shape = lowered.shape(of: input.value)
        guard input.axes.count >= 2, input.axes[1] == .channel || shape.channels == 1, input.order == nil else {
            throw node.refused("its input's second axis is not that of the channels")
        }
        let channels = shape.channels
        let scale = try floats(node, 1, count: channels)
        let shift = try floats(node, 2, count: channels)
        let mean = try floats(node, 3, count: channels)
        let variance = try floats(node, 4, count: channels)
        let epsilon = Double(try node.float("epsilon", default: 1e-5))
        var factors: [Float] = []
        var offsets: [Float] = []
        for channel in 0..<channels {
            let factor = Double(scale[channel]) / (Double(variance[channel]) + epsilon).squareRoot()
            factors.append(Float(factor))
            offsets.append(Float(Double(shift[channel]) - Double(mean[channel]) * factor))
        }
        return append(node, .scaleShift(scale: factors, shift: offsets), [input], shape: shape)
    }
}
