extension Graph {
    /// Multiply-adds of a node of a valid graph for one image: those of convolutions and dense layers; other operations count none.
    public func multiplyAdds(of node: Node) -> Int {
        switch node.operation {
        case .convolution(_, _, let window, let groups):
            node.shape.count * window.taps * (shape(ofValue: node.inputs[0]).channels / groups)
        case .dense: node.shape.count * shape(ofValue: node.inputs[0]).count
        default: 0
        }
    }

    /// Weights that a node of a valid graph reads, biases among them.
    public func parameters(of node: Node) -> Int {
        switch node.operation {
        case .convolution(_, let bias, let window, let groups):
            (window.taps * (shape(ofValue: node.inputs[0]).channels / groups) + (bias == nil ? 0 : 1))
                * node.shape.channels
        case .dense(_, let bias): (shape(ofValue: node.inputs[0]).count + (bias == nil ? 0 : 1)) * node.shape.count
        case .scaleShift: 2 * node.shape.channels
        default: 0
        }
    }
}
