extension Graph {
    /// What a plan may take at most. A bundle is not trusted: totals are checked before any memory is taken.
    enum Limits {
        /// Floats of all values of an image that are alive at once, and of all packed weights (2 GiB).
        static let memory = 1 << 29
        /// Multiply-adds, or cells of pooling windows, of the whole graph.
        static let work = 1_000_000_000_000
    }

    /// The shape of value `index`; 0 is the input image.
    func shape(ofValue index: Int) -> Shape { index == 0 ? input : nodes[index - 1].shape }

    /// Checks what a valid graph may still ask too much of.
    func checkLimits() throws(ModelError) {
        guard input.channels <= Encoder.inputPixelStride else {
            throw ModelError(
                "the input has \(input.channels) channels; at most \(Encoder.inputPixelStride) are possible")
        }
        var total = 0
        for node in nodes {
            let channels = shape(ofValue: node.inputs[0]).channels
            let perOutput =
                switch node.operation {
                case .convolution(_, _, let window, let groups): window.taps * (channels / groups)
                case .dense: channels
                case .maxPool(let window), .averagePool(let window, _): window.taps
                default: node.inputs.count
                }
            let (work, overflow) = perOutput.multipliedReportingOverflow(by: node.shape.count)
            total += overflow ? Limits.work : min(work, Limits.work)
            guard !overflow, total <= Limits.work else {
                throw ModelError("\(node.label): the graph takes more than \(Limits.work) multiply-adds up to here")
            }
        }
    }
}

extension Graph.Shape {
    /// Whether it is one pixel: a vector of as many features as it has channels.
    var isFlat: Bool { count == channels }
}

extension Graph.Window {
    /// Cells of the window.
    var taps: Int { kernelHeight * kernelWidth }
}

/// `count` rounded up to a multiple of 16 floats, one cache line.
func roundedUp(_ count: Int) -> Int { (count + 15) / 16 * 16 }

extension Graph.Operation {
    /// Names of the weights that it reads.
    var weights: [String] {
        switch self {
        case .convolution(let weight, let bias, _, _), .dense(let weight, let bias):
            [weight] + (bias.map { [$0] } ?? [])
        case .scaleShift(let scale, let shift): [scale, shift]
        default: []
        }
    }
}
