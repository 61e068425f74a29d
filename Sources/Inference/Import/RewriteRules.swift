/// First sweep: rules that look only at what a node reads.
extension Rebuilder {
    mutating func rewrite(_ node: LoweredGraph.Node) -> Int {
        switch node.operation {
        case .convolution, .plain(.maxPool), .plain(.averagePool): append(withoutPadding(node))
        case .scaleShift(let scale, let shift): scaled(node, scale, shift)
        case .plain(.multiply): activation(node) ?? append(node)
        default: append(node)
        }
    }

    // MARK: Padding

    /// A convolution or pool that takes over the padding of its input.
    private func withoutPadding(_ node: LoweredGraph.Node) -> LoweredGraph.Node {
        var node = node
        while let before = producer(node.inputs[0]),
            case .pad(let top, let left, let bottom, let right, let value) = before.operation
        {
            func grown(_ window: Graph.Window) -> Graph.Window {
                var window = window
                window.padTop += top
                window.padLeft += left
                window.padBottom += bottom
                window.padRight += right
                return window
            }
            switch node.operation {
            case .convolution(let weight, let bias, let window, let groups) where value == 0:
                node.operation = .convolution(weight: weight, bias: bias, window: grown(window), groups: groups)
            case .plain(.averagePool(let window, let countsPadding))
            where value == 0 && (countsPadding || !window.hasPadding):
                // The padding's cells were cells like any other.
                node.operation = .plain(.averagePool(window: grown(window), countsPadding: true))
            case .plain(.maxPool(let window))
            where value <= -Float.greatestFiniteMagnitude || value == 0 && isNeverNegative(before.inputs[0]):
                node.operation = .plain(.maxPool(window: grown(window)))
            default: return node
            }
            node.inputs[0] = before.inputs[0]
        }
        return node
    }

    /// Whether zeros beside a value cannot change a maximum.
    private func isNeverNegative(_ value: Int) -> Bool {
        var value = value
        while let node = producer(value) {
            switch node.operation {
            case .plain(.activation(.relu)), .plain(.activation(.sigmoid)), .plain(.activation(.hardSigmoid)):
                return true
            case .plain(.activation(.clip(let minimum, _))): return minimum >= 0
            case .plain(.maxPool): value = node.inputs[0]
            default: return false
            }
        }
        return false
    }

    // MARK: Scales

    /// A scale and shift, merged with one before it, and left out where it changes nothing.
    private mutating func scaled(_ node: LoweredGraph.Node, _ scale: [Float], _ shift: [Float]) -> Int {
        var node = node
        var (scale, shift) = (scale, shift)
        if let before = producer(node.inputs[0]), case .scaleShift(let first, let offset) = before.operation {
            shift = scale.indices.map { Float(Double(scale[$0]) * Double(offset[$0]) + Double(shift[$0])) }
            scale = scale.indices.map { scale[$0] * first[$0] }
            node.inputs[0] = before.inputs[0]
        }
        // A factor of 1 may have been rounded on its way, as in ×6 ÷6.
        if scale.allSatisfy({ abs($0 - 1) <= 2 * Float.ulpOfOne }), shift.allSatisfy({ $0 == 0 }) {
            return node.inputs[0]
        }
        node.operation = .scaleShift(scale: scale, shift: shift)
        return append(node)
    }

    // MARK: Activation functions

    /// x · sigmoid(x), x · hardSigmoid(x) and x · (1 + erf(x ÷ √2)), with constant factors anywhere; nil for another product.
    private mutating func activation(_ node: LoweredGraph.Node) -> Int? {
        let left = peeled(node.inputs[0])
        let right = peeled(node.inputs[1])
        guard let (function, ratio, value) = gated(left.value, by: right.value) ?? gated(right.value, by: left.value)
        else { return nil }
        var product = node
        product.inputs = [value]
        product.operation = .plain(.activation(function))
        var scaling = node
        scaling.inputs = [append(product)]
        let channels = node.shape.channels
        let factor = left.factor * right.factor * ratio
        return scaled(
            scaling, [Float](repeating: factor, count: channels), [Float](repeating: 0, count: channels))
    }

    /// What a value is without a uniform factor, and the factor.
    private func peeled(_ value: Int) -> (value: Int, factor: Float) {
        guard let node = producer(value), let (scale, shift) = uniformScale(node), shift == 0 else { return (value, 1) }
        return (node.inputs[0], scale)
    }

    /// The one scale and the one shift of all channels.
    private func uniformScale(_ node: LoweredGraph.Node) -> (scale: Float, shift: Float)? {
        guard case .scaleShift(let scales, let shifts) = node.operation, let scale = scales.first,
            let shift = shifts.first,
            scales.allSatisfy({ $0 == scale }), shifts.allSatisfy({ $0 == shift })
        else { return nil }
        return (scale, shift)
    }

    /// The function f for which value · gate = ratio · f(value).
    private func gated(_ value: Int, by gate: Int) -> (function: Graph.Activation, ratio: Float, value: Int)? {
        guard let node = producer(gate) else { return nil }
        switch node.operation {
        case .plain(.activation(.sigmoid)) where node.inputs[0] == value: return (.silu, 1, value)
        case .plain(.activation(.hardSigmoid(let alpha, let beta)))
        where node.inputs[0] == value && Self.isNear(alpha, 1 / 6) && beta == 0.5:
            return (.hardSwish, 1, value)
        case .plain(.activation(.clip(minimum: 0, maximum: 6))):
            // relu6(x + 3)
            guard let sum = producer(node.inputs[0]), let (scale, shift) = uniformScale(sum), scale == 1, shift == 3,
                sum.inputs[0] == value
            else { return nil }
            return (.hardSwish, 6, value)
        case .scaleShift:
            // p · erf(x ÷ √2) + p
            guard let (scale, shift) = uniformScale(node), scale == shift, let erf = producer(node.inputs[0]),
                case .erf = erf.operation, let quotient = producer(erf.inputs[0]),
                let (inner, offset) = uniformScale(quotient), offset == 0, Self.isNear(inner, Float(0.5).squareRoot()),
                quotient.inputs[0] == value
            else { return nil }
            return (.gelu, 2 * scale, value)
        default: return nil
        }
    }

    private static func isNear(_ value: Float, _ wanted: Float) -> Bool { abs(value - wanted) <= 1e-6 * abs(wanted) }
}

extension Graph.Window {
    var hasPadding: Bool { padTop != 0 || padLeft != 0 || padBottom != 0 || padRight != 0 }
}
