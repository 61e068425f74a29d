/// The encoder between ONNX and the portable graph: the graph's operations with their weights at hand, and a few that the
/// simplifier must get rid of.
struct LoweredGraph {
    enum Operation {
        /// `weight` is `[out, kernelHeight, kernelWidth, in / groups]`.
        case convolution(weight: WeightTensor, bias: [Float]?, window: Graph.Window, groups: Int)
        /// `weight` is `[out, in]`.
        case dense(weight: WeightTensor, bias: [Float]?)
        case scaleShift(scale: [Float], shift: [Float])
        /// Rows and columns of `value` around an image; folded into what reads it.
        case pad(top: Int, left: Int, bottom: Int, right: Int, value: Float)
        /// The error function; part of GELU.
        case erf
        /// An operation without weights.
        case plain(Graph.Operation)
    }

    struct Node {
        /// Operator and name of the ONNX node, for messages.
        var label: String
        var name: String
        var operation: Operation
        /// Value 0 is the input, value i + 1 the output of node i.
        var inputs: [Int]
        var shape: Graph.Shape
    }

    var input: Graph.Shape
    var nodes: [Node] = []

    init(input: Graph.Shape) { self.input = input }

    func shape(of value: Int) -> Graph.Shape { value == 0 ? input : nodes[value - 1].shape }

    /// - Returns: the index of the new node's value.
    mutating func append(_ node: Node) -> Int {
        nodes.append(node)
        return nodes.count
    }
}
