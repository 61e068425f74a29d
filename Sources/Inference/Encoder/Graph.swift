/// The portable graph of an encoder: what `kaption-model import` writes into a bundle's `model.json` and what the plan
/// is made from. This file is the schema; `GraphCoding` says how it is written in JSON.
///
/// Every value is one image's tensor, channels last: `[height, width, channels]`, or `[features]` once it is flat. The
/// batch does not appear. Values are named by their index: value 0 is the input image, value `i + 1` is the output
/// of `nodes[i]`. Nodes stand in an order in which each reads only earlier values. Weights are named tensors of
/// the bundle's `weights.safetensors`, in the layouts given at each operation.
public struct Graph: Codable, Sendable, Equatable {
    /// Shape of the input image, `[height, width, channels]`.
    public var input: Shape
    public var nodes: [Node]

    public init(input: Shape, nodes: [Node]) {
        self.input = input
        self.nodes = nodes
    }

    /// Shape of one image's value.
    public enum Shape: Sendable, Equatable, Codable {
        case image(height: Int, width: Int, channels: Int)
        case vector(Int)

        /// Elements, without any padding of the pixel stride.
        public var count: Int {
            switch self {
            case .image(let height, let width, let channels): height * width * channels
            case .vector(let features): features
            }
        }
    }

    public struct Node: Codable, Sendable, Equatable {
        /// The ONNX node's name, for messages and for `inspect`.
        public var name: String
        public var operation: Operation
        /// Indices of the values read.
        public var inputs: [Int]
        /// Shape of the value made.
        public var shape: Shape

        public init(name: String, operation: Operation, inputs: [Int], shape: Shape) {
            self.name = name
            self.operation = operation
            self.inputs = inputs
            self.shape = shape
        }
    }

    /// Where a window of a convolution or a pool looks.
    public struct Window: Sendable, Equatable {
        public var kernelHeight: Int
        public var kernelWidth: Int
        public var strideHeight: Int
        public var strideWidth: Int
        public var dilationHeight: Int
        public var dilationWidth: Int
        public var padTop: Int
        public var padLeft: Int
        public var padBottom: Int
        public var padRight: Int

        public init(
            kernelHeight: Int, kernelWidth: Int, strideHeight: Int = 1, strideWidth: Int = 1,
            dilationHeight: Int = 1, dilationWidth: Int = 1,
            padTop: Int = 0, padLeft: Int = 0, padBottom: Int = 0, padRight: Int = 0
        ) {
            self.kernelHeight = kernelHeight
            self.kernelWidth = kernelWidth
            self.strideHeight = strideHeight
            self.strideWidth = strideWidth
            self.dilationHeight = dilationHeight
            self.dilationWidth = dilationWidth
            self.padTop = padTop
            self.padLeft = padLeft
            self.padBottom = padBottom
            self.padRight = padRight
        }
    }

    public enum Activation: Sendable, Equatable {
        case relu
        case clip(minimum: Float, maximum: Float)
        case sigmoid
        /// max(0, min(1, alpha·x + beta))
        case hardSigmoid(alpha: Float, beta: Float)
        /// x · max(0, min(1, x/6 + 1/2))
        case hardSwish
        /// x · sigmoid(x)
        case silu
        /// x/2 · (1 + erf(x/√2))
        case gelu
    }

    public enum Operation: Sendable, Equatable {
        /// Convolution. `weight` is `[out, kernelHeight, kernelWidth, in / groups]`, `bias` is `[out]`. Padding is by zeros and
        /// may differ on each side.
        case convolution(weight: String, bias: String?, window: Window, groups: Int)
        /// `[features]` → `[out]`. `weight` is `[out, in]`, in the order of this graph's (channels last) flattening.
        case dense(weight: String, bias: String?)
        /// Sum of two values of one shape; the second may be `[1, 1, channels]` (or a vector of as many features), which is repeated over the pixels.
        case add
        /// Product, with the same shapes as `add`.
        case multiply
        /// x · scale + shift by channel. Both `[channels]`.
        case scaleShift(scale: String, shift: String)
        case activation(Activation)
        /// Cells outside the image do not count. The node's shape says how many windows there are (`ceil_mode` is resolved).
        case maxPool(window: Window)
        /// With `countsPadding` a window's divisor is the number of its cells inside the padded image, else of those inside the image.
        case averagePool(window: Window, countsPadding: Bool)
        /// Mean over all pixels: `[h, w, c]` → `[1, 1, c]`, or to `[c]` where the node's shape is a vector.
        case globalAveragePool
        /// Joins values along the channels.
        case concatenate
        /// Output channel i is input channel `indices[i]`.
        case gatherChannels(indices: [Int])
        /// `[h, w, c]` → `[h·w·c]`, channels last, no arithmetic.
        case flatten
    }
}
