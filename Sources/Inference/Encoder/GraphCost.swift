/// What a graph costs: for `inspect`, and for benchmarks that quote a rate.
extension Graph {
    public struct Cost: Sendable, Equatable {
        /// Elements of the weights.
        public var parameters: Int
        /// Multiplications with an addition of convolutions and dense layers, for one image.
        public var multiplyAdds: Int
    }

    /// The cost of a node.
    ///
    /// - Parameter weightShape: the shape of a named weight.
    public func cost(of node: Node, weightShape: (String) -> [Int]) -> Cost {
        func count(_ name: String?) -> Int { name.map { weightShape($0).reduce(1, *) } ?? 0 }
        switch node.operation {
        case .convolution(let weight, let bias, _, _):
            // Each weight is used once for each pixel of the output.
            return Cost(
                parameters: count(weight) + count(bias),
                multiplyAdds: count(weight) * (node.shape.count / node.shape.channels))
        case .dense(let weight, let bias):
            return Cost(parameters: count(weight) + count(bias), multiplyAdds: count(weight))
        case .scaleShift(let scale, let shift):
            return Cost(parameters: count(scale) + count(shift), multiplyAdds: node.shape.count)
        default: return Cost(parameters: 0, multiplyAdds: 0)
        }
    }
}
