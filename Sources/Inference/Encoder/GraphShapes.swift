/// Shape inference: what each operation makes of its inputs.
extension Graph.Node {
    /// The shapes that this node can make, the usual one first: a pool's last window may hang over the edge, a mean may
    /// be flat.
    ///
    /// - Parameter weightShape: the shape of a named weight.
    func possibleShapes(
        inputs: [Graph.Shape], weightShape: (String) throws(ModelError) -> [Int]
    ) throws(ModelError) -> [Graph.Shape] {
        func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws(ModelError) {
            guard condition else { throw ModelError("\(label): \(reason())") }
        }
        func requireVector(_ name: String?, _ count: Int) throws(ModelError) {
            guard let name else { return }
            let shape = try weightShape(name)
            try require(shape == [count], "\"\(name)\" has shape \(shape), not [\(count)]")
        }
        func image(_ shape: Graph.Shape) throws(ModelError) -> (height: Int, width: Int, channels: Int) {
            guard case .image(let height, let width, let channels) = shape else {
                throw ModelError("\(label): reads a vector, and needs an image")
            }
            return (height, width, channels)
        }
        let wanted: Int? =
            switch operation {
            case .add, .multiply: 2
            case .concatenate: nil
            default: 1
            }
        try require(wanted == nil ? !inputs.isEmpty : inputs.count == wanted, "has \(inputs.count) inputs")
        let first = inputs[0]

        switch operation {
        case .convolution(let weight, let bias, let window, let groups):
            let (height, width, channels) = try image(first)
            let shape = try weightShape(weight)
            try require(shape.count == 4 && shape[0] >= 1, "\"\(weight)\" has shape \(shape), not four dimensions")
            try require(groups >= 1 && channels % groups == 0 && shape[0] % groups == 0, "\(groups) groups do not fit")
            try require(
                Array(shape[1...]) == [window.kernelHeight, window.kernelWidth, channels / groups],
                "\"\(weight)\" has shape \(shape), and the kernel is \(window.kernelHeight)×\(window.kernelWidth) "
                    + "over \(channels / groups) channels"
            )
            try requireVector(bias, shape[0])
            let outputs = try window.outputs(height: height, width: width, label: label)
            return [.image(height: outputs.height.floor, width: outputs.width.floor, channels: shape[0])]

        case .dense(let weight, let bias):
            guard case .vector(let features) = first else {
                throw ModelError("\(label): reads an image, and needs a vector")
            }
            let shape = try weightShape(weight)
            try require(
                shape.count == 2 && shape[1] == features,
                "\"\(weight)\" has shape \(shape), and the input \(features) features")
            try requireVector(bias, shape[0])
            return [.vector(shape[0])]

        case .add, .multiply:
            let second = inputs[1]
            try require(
                first == second || (second.count == second.channels && second.channels == first.channels),
                "\(first) and \(second) do not go together")
            return [first]

        case .scaleShift(let scale, let shift):
            try requireVector(scale, first.channels)
            try requireVector(shift, first.channels)
            return [first]

        case .activation(let activation):
            switch activation {
            case .clip(let minimum, let maximum): try require(minimum <= maximum, "the limits are in the wrong order")
            case .hardSigmoid(let alpha, let beta): try require(alpha.isFinite && beta.isFinite, "not finite")
            default: break
            }
            return [first]

        case .maxPool(let window), .averagePool(let window, _):
            let (height, width, channels) = try image(first)
            let outputs = try window.outputs(height: height, width: width, label: label)
            try require(
                window.padTop < window.reachHeight && window.padBottom < window.reachHeight
                    && window.padLeft < window.reachWidth && window.padRight < window.reachWidth,
                "the padding is as large as the window")
            return [outputs.height.floor, outputs.height.ceiling].flatMap { rows in
                [outputs.width.floor, outputs.width.ceiling].map { .image(height: rows, width: $0, channels: channels) }
            }

        case .globalAveragePool:
            let channels = try image(first).channels
            return [.image(height: 1, width: 1, channels: channels), .vector(channels)]

        case .concatenate:
            var channels = 0
            for input in inputs {
                channels += input.channels
                try require(first.withChannels(1) == input.withChannels(1), "\(first) and \(input) do not go together")
            }
            return [first.withChannels(channels)]

        case .gatherChannels(let indices):
            try require(
                !indices.isEmpty && indices.allSatisfy { (0..<first.channels).contains($0) },
                "an index outside the channels")
            return [first.withChannels(indices.count)]

        case .flatten:
            return [.vector(first.count)]
        }
    }
}

extension Graph.Shape {
    func withChannels(_ channels: Int) -> Graph.Shape {
        switch self {
        case .image(let height, let width, _): .image(height: height, width: width, channels: channels)
        case .vector: .vector(channels)
        }
    }
}

extension Graph.Window {
    /// Pixels that the kernel spans, dilation included.
    var reachHeight: Int { (kernelHeight - 1) * dilationHeight + 1 }
    var reachWidth: Int { (kernelWidth - 1) * dilationWidth + 1 }

    /// How many windows there are: those wholly inside the padded image (`floor`), and with those that begin inside the
    /// image or its leading padding and hang over the end (`ceiling`).
    func outputs(
        height: Int, width: Int, label: String
    ) throws(ModelError) -> (height: (floor: Int, ceiling: Int), width: (floor: Int, ceiling: Int)) {
        let positive = [kernelHeight, kernelWidth, strideHeight, strideWidth, dilationHeight, dilationWidth]
        let pads = [padTop, padLeft, padBottom, padRight]
        guard positive.allSatisfy({ (1...1 << 16).contains($0) }), pads.allSatisfy({ (0...1 << 16).contains($0) })
        else {
            throw ModelError("\(label): a window's size, stride, dilation or padding out of range")
        }
        func count(_ size: Int, _ before: Int, _ after: Int, _ reach: Int, _ stride: Int) throws(ModelError) -> (
            Int, Int
        ) {
            let room = size + before + after - reach
            guard room >= 0 else { throw ModelError("\(label): the window is larger than the padded image") }
            var ceiling = (room + stride - 1) / stride + 1
            if (ceiling - 1) * stride >= size + before { ceiling -= 1 }
            return (room / stride + 1, ceiling)
        }
        return (
            try count(height, padTop, padBottom, reachHeight, strideHeight),
            try count(width, padLeft, padRight, reachWidth, strideWidth)
        )
    }
}
