/// A tensor that depends on pixels, as ONNX sees it: which value of the graph it is, and what each of its axes means. Moving axes about
/// (`Transpose`, `Unsqueeze`, `Reshape` to flat) needs no arithmetic then: only the meaning changes.
struct ActivationValue {
    enum Axis: Equatable {
        /// The images; its size stays open.
        case batch
        /// Of size 1, whatever it was.
        case unit
        case height
        case width
        /// Channels, or the features of a vector.
        case channel
        /// Height and width joined.
        case pixels
    }

    /// Index of the value in the lowered graph.
    var value: Int
    var axes: [Axis]
    /// For a vector that ONNX made by flattening in its own order: the ONNX index of each feature of the value. Nil where the
    /// orders are the same.
    var order: [Int]?

    /// Elements along an axis of a value of shape `shape`; nil for the batch.
    static func size(of axis: Axis, in shape: Graph.Shape) -> Int? {
        switch (axis, shape) {
        case (.batch, _): nil
        case (.unit, _): 1
        case (.channel, _): shape.channels
        case (.height, .image(let height, _, _)): height
        case (.width, .image(_, let width, _)): width
        case (.pixels, .image(let height, let width, _)): height * width
        case (.height, .vector), (.width, .vector), (.pixels, .vector): 1
        }
    }

    /// Axes of size 1 called so.
    static func normalized(_ axes: [Axis], for shape: Graph.Shape) -> [Axis] {
        axes.map { size(of: $0, in: shape) == 1 ? .unit : $0 }
    }

    /// The axes of an image in ONNX's order, NCHW.
    static func channelsFirst(_ shape: Graph.Shape) -> [Axis] {
        normalized([.batch, .channel, .height, .width], for: shape)
    }

    /// The axes that hold more than one element of an image, in ONNX's order.
    var elementAxes: [Axis] { axes.filter { $0 != .unit && $0 != .batch } }

    /// The ONNX index of each element of the value, channels last, when the axes are flattened in their order; nil
    /// where that is the value's own order.
    func flattenedOrder(_ shape: Graph.Shape) -> [Int]? {
        guard case .image(let height, let width, let channels) = shape else { return order }
        let sequence = elementAxes.flatMap { $0 == .pixels ? [.height, .width] : [$0] }
        let own = ActivationValue.normalized([.height, .width, .channel], for: shape).filter { $0 != .unit }
        guard sequence.filter({ $0 != .unit && own.contains($0) }) != own else { return nil }
        var strides: [Axis: Int] = [:]
        var stride = 1
        for axis in sequence.reversed() {
            strides[axis] = stride
            stride *= ActivationValue.size(of: axis, in: shape) ?? 1
        }
        var order: [Int] = []
        order.reserveCapacity(shape.count)
        for row in 0..<height {
            for column in 0..<width {
                for channel in 0..<channels {
                    order.append(
                        row * (strides[.height] ?? 0) + column * (strides[.width] ?? 0)
                            + channel * (strides[.channel] ?? 0))
                }
            }
        }
        return order
    }
}

/// A value of the ONNX graph.
enum ImportedValue {
    /// A weight not decoded yet.
    case weight(ONNXTensor)
    case constant(ConstantTensor)
    case activation(ActivationValue)
}
