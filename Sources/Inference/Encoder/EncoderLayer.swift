import Kernels

/// A step of the plan before it has addresses: one node of the graph, or several fused into one.
struct EncoderLayer {
    enum Kind {
        case convolution(Convolution)
        case depthwise(Convolution)
        case add, multiply, activation, maxPool, globalAveragePool
        case scaleShift(scale: String, shift: String)
        case averagePool(countsPadding: Bool)
        case concatenate
        case flatten
        case gatherChannels([Int])
        /// The same values in other numbers.
        case convert
    }

    /// A convolution's weights by name. A dense layer is one with a single tap.
    struct Convolution {
        var weight: String
        var weightShape: [Int]
        var bias: String?
        var groups: Int
        /// Scales and shifts by output channel to fold into weights and bias, in order.
        var scaleShifts: [(scale: String, shift: String)] = []
    }

    var name: String
    var kind: Kind
    var window = Graph.Window(kernelHeight: 1, kernelWidth: 1)
    /// Values read. The second is the other operand.
    var inputs: [Int]
    /// The value to add before the activation.
    var residual: Int?
    var activation: Graph.Activation?
    var output: Int

    var reads: [Int] { inputs + (residual.map { [$0] } ?? []) }

    /// Whether an activation can still be put at its end.
    var takesActivation: Bool {
        guard activation == nil else { return false }
        switch kind {
        case .concatenate, .flatten, .gatherChannels, .convert: return false
        default: return true
        }
    }

    /// Whether its output is still the plain sum, so that a scale can be folded into the weights.
    var takesScaleShift: Bool {
        switch kind {
        case .convolution, .depthwise: activation == nil && residual == nil
        default: false
        }
    }

    /// Whether another value can be added at its end.
    var takesResidual: Bool {
        if case .convolution = kind { activation == nil && residual == nil } else { false }
    }

    /// Whether it maps one pixel to one pixel, so that the images of a micro-batch can be its pixels.
    var isPointwise: Bool {
        switch kind {
        case .convolution: window == Graph.Window(kernelHeight: 1, kernelWidth: 1)
        case .add, .multiply, .activation, .scaleShift, .concatenate, .gatherChannels, .convert: true
        case .depthwise, .maxPool, .averagePool, .globalAveragePool, .flatten: false
        }
    }
}
