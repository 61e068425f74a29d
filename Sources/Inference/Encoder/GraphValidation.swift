extension Graph {
    /// What a graph may ask for at most. A bundle is not trusted: these are checked before any memory is taken.
    enum Limits {
        static let nodes = 16_384
        static let dimension = 1 << 16
        /// Floats of one value.
        static let elements = 1 << 26
        /// Floats of all values of an image alive at once, and of all packed weights.
        static let memory = 1 << 29
        /// Multiply-adds, or cells of pooling windows, of the whole graph.
        static let work = 1_000_000_000_000
    }

    /// The shape of value `index`; 0 is the input image.
    func shape(ofValue index: Int) -> Shape { index == 0 ? input : nodes[index - 1].shape }

    /// Checks all that does not need the weights: indices, shapes, windows, totals.
    /// - Throws: `ModelError` that names the node.
    func validate() throws {
        guard case .image(_, _, let channels) = input else { throw ModelError("the graph's input is not an image") }
        try checkExtent(input, "the graph's input")
        guard channels <= Encoder.inputPixelStride else {
            throw ModelError(
                "the graph's input has \(channels) channels; at most \(Encoder.inputPixelStride) are supported")
        }
        guard let last = nodes.last else { throw ModelError("the graph has no nodes") }
        guard nodes.count <= Limits.nodes else { throw ModelError("the graph has more than \(Limits.nodes) nodes") }
        var work = 0
        for (index, node) in nodes.enumerated() {
            do {
                for value in node.inputs where value < 0 || value > index {
                    throw ModelError("reads value \(value), which is not made before it")
                }
                try checkExtent(node.shape, "its value")
                try checkOperation(node)
                work += try cells(of: node)
            } catch let error as ModelError {
                throw ModelError("node \(index) (\(node.name.prefix(200))): \(error.message)")
            }
            guard work <= Limits.work else {
                throw ModelError("the graph takes more than \(Limits.work) multiply-adds")
            }
        }
        guard last.shape.isFlat else { throw ModelError("the graph's output is not a vector of features") }
    }

    private func checkExtent(_ shape: Shape, _ what: String) throws {
        let dimensions: [Int]
        switch shape {
        case .image(let height, let width, let channels): dimensions = [height, width, channels]
        // A flattened image is longer than any of its dimensions.
        case .vector(let features): dimensions = [features / Limits.dimension + 1, min(features, Limits.dimension)]
        }
        guard dimensions.allSatisfy({ 1...Limits.dimension ~= $0 }), shape.count <= Limits.elements else {
            throw ModelError("\(what) has the shape \(shape), which is out of range")
        }
    }

    private func checkOperation(_ node: Node) throws {
        let shapes = node.inputs.map(shape(ofValue:))
        switch node.operation {
        case .add, .multiply: try expect(shapes.count == 2, "takes two values, not \(shapes.count)")
        case .concatenate: try expect(!shapes.isEmpty, "joins nothing")
        default: try expect(shapes.count == 1, "takes one value, not \(shapes.count)")
        }
        let first = shapes[0]
        switch node.operation {
        case .convolution(_, _, let window, let groups):
            guard case .image(let height, let width, let channels) = first,
                case .image(_, _, let filters) = node.shape
            else { throw ModelError("a convolution is from an image to an image") }
            try expect(
                groups >= 1 && channels % max(groups, 1) == 0 && filters % max(groups, 1) == 0,
                "\(groups) groups do not divide \(channels) and \(filters) channels")
            try window.validate()
            try expect(
                window.outputs(height: height, width: width).map {
                    node.shape == .image(height: $0.height, width: $0.width, channels: filters)
                } ?? false, "the window does not make \(node.shape) of \(first)")
        case .dense:
            guard case .vector = first, case .vector = node.shape else {
                throw ModelError("a dense layer is from a vector to a vector")
            }
        case .add, .multiply:
            try expect(node.shape == first, "makes \(node.shape) of \(first)")
            try expect(
                shapes[1] == first || (shapes[1].isFlat && shapes[1].count == first.channels),
                "\(shapes[1]) cannot be repeated over \(first)")
        case .scaleShift: try expect(node.shape == first, "makes \(node.shape) of \(first)")
        case .activation(let activation):
            try expect(node.shape == first, "makes \(node.shape) of \(first)")
            try activation.validate()
        case .maxPool(let window), .averagePool(let window, _):
            guard case .image(let height, let width, let channels) = first,
                case .image(let rows, let columns, channels) = node.shape
            else { throw ModelError("makes \(node.shape) of \(first)") }
            try window.validate()
            try window.validatePool(height: height, width: width, outputHeight: rows, outputWidth: columns)
        case .globalAveragePool:
            try expect(node.shape.isFlat && node.shape.count == first.channels, "makes \(node.shape) of \(first)")
        case .concatenate: try expect(node.shape == joined(shapes), "makes \(node.shape) of \(shapes)")
        case .gatherChannels(let indices):
            try expect(indices.allSatisfy { 0..<first.channels ~= $0 }, "gathers a channel that is not there")
            try expect(node.shape == first.with(channels: indices.count), "makes \(node.shape) of \(first)")
        case .flatten: try expect(node.shape == .vector(first.count), "makes \(node.shape) of \(first)")
        }
    }

    /// The shape of `shapes` joined along the channels, nil if they do not fit.
    private func joined(_ shapes: [Shape]) -> Shape? {
        let channels = shapes.map(\.channels).reduce(0, +)
        let wanted = shapes[0].with(channels: channels)
        return shapes.allSatisfy { $0.with(channels: channels) == wanted } ? wanted : nil
    }

    /// Multiply-adds, cells or elements that a node reads: its share of `Limits.work`.
    private func cells(of node: Node) throws -> Int {
        let perOutput: Int
        switch node.operation {
        case .convolution(_, _, let window, let groups):
            perOutput = window.taps * (shape(ofValue: node.inputs[0]).channels / groups)
        case .dense: perOutput = shape(ofValue: node.inputs[0]).count
        case .maxPool(let window), .averagePool(let window, _): perOutput = window.taps
        default: return node.shape.count
        }
        let (work, overflow) = perOutput.multipliedReportingOverflow(by: node.shape.count)
        try expect(!overflow && work <= Limits.work, "takes more than \(Limits.work) multiply-adds")
        return work
    }
}

private func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws {
    guard condition else { throw ModelError(message()) }
}

extension Graph.Shape {
    /// Channels of a pixel, or features.
    var channels: Int {
        switch self {
        case .image(_, _, let channels): channels
        case .vector(let features): features
        }
    }

    /// Whether it has one pixel, or none: a vector of as many features as channels.
    var isFlat: Bool {
        switch self {
        case .image(let height, let width, _): height == 1 && width == 1
        case .vector: true
        }
    }

    func with(channels: Int) -> Graph.Shape {
        switch self {
        case .image(let height, let width, _): .image(height: height, width: width, channels: channels)
        case .vector: .vector(channels)
        }
    }
}

extension Graph.Shape: CustomStringConvertible {
    public var description: String {
        switch self {
        case .image(let height, let width, let channels): "\(height)×\(width)×\(channels)"
        case .vector(let features): "\(features)"
        }
    }
}

extension Graph.Activation {
    fileprivate func validate() throws {
        switch self {
        case .clip(let minimum, let maximum): try expect(minimum <= maximum, "clips to \(minimum)...\(maximum)")
        case .hardSigmoid(let alpha, let beta): try expect(alpha.isFinite && beta.isFinite, "its slope is not finite")
        default: break
        }
    }
}

extension Graph.Window {
    var taps: Int { kernelHeight * kernelWidth }

    /// Checks that every field is in range, so that sums and products of them cannot overflow.
    fileprivate func validate() throws {
        let positive = [kernelHeight, kernelWidth, strideHeight, strideWidth, dilationHeight, dilationWidth]
        let pads = [padTop, padLeft, padBottom, padRight]
        try expect(
            positive.allSatisfy { 1...Graph.Limits.dimension ~= $0 }
                && pads.allSatisfy { 0...Graph.Limits.dimension ~= $0 },
            "its window is out of range")
    }

    /// How many windows fit, nil if none does.
    func outputs(height: Int, width: Int) -> (height: Int, width: Int)? {
        let rows = height + padTop + padBottom - (kernelHeight - 1) * dilationHeight - 1
        let columns = width + padLeft + padRight - (kernelWidth - 1) * dilationWidth - 1
        guard rows >= 0, columns >= 0 else { return nil }
        return (rows / strideHeight + 1, columns / strideWidth + 1)
    }

    /// Checks that each of a pool's windows has a cell in the image.
    fileprivate func validatePool(height: Int, width: Int, outputHeight: Int, outputWidth: Int) throws {
        func covers(_ outputs: Int, _ size: Int, _ kernel: Int, _ stride: Int, _ dilation: Int, _ pad: Int) -> Bool {
            (0..<outputs).allSatisfy { output in
                let start = output * stride - pad
                // The first cell that is not above the image.
                let cell = start >= 0 ? 0 : (-start + dilation - 1) / dilation
                return cell < kernel && start + cell * dilation < size
            }
        }
        try expect(
            covers(outputHeight, height, kernelHeight, strideHeight, dilationHeight, padTop)
                && covers(outputWidth, width, kernelWidth, strideWidth, dilationWidth, padLeft),
            "a window of the pool does not touch the image")
    }
}
