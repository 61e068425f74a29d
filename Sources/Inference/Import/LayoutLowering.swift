/// Operators that rearrange: axes that change their meaning or place cost nothing, channels can be picked and joined.
extension GraphImporter {
    mutating func lowerLayout(_ node: ONNXNode) throws(ModelError) -> ActivationValue {
        let input = try activation(node, 0)
        let call = try call(node)
        switch node.operation {
        case "Transpose":
            let axes = try call.permutation(rank: input.axes.count).map { input.axes[$0] }
            return ActivationValue(value: input.value, axes: axes, order: input.order)
        case "Unsqueeze":
            let axes = try call.unsqueezed(input.axes, with: .unit)
            guard axes.count <= ONNXTensor.maximumRank else { throw node.refused("too many dimensions") }
            return ActivationValue(value: input.value, axes: axes, order: input.order)
        case "Squeeze":
            let rank = input.axes.count
            let listed = try call.axes() ?? input.axes.indices.filter { input.axes[$0] == .unit }
            let dropped = Set(try listed.map { (value) throws(ModelError) in try call.axis(value, rank: rank) })
            guard dropped.allSatisfy({ input.axes[$0] == .unit }) else {
                throw node.refused("of an axis that is not of size 1")
            }
            let axes = input.axes.indices.filter { !dropped.contains($0) }.map { input.axes[$0] }
            return ActivationValue(value: input.value, axes: axes, order: input.order)
        case "Expand": return try expanded(node, input)
        case "Flatten":
            let axis = Int(clamping: try node.integer("axis", default: 1))
            let split = axis < 0 ? axis + input.axes.count : axis
            guard (0...input.axes.count).contains(split),
                input.axes[..<split].allSatisfy({ $0 == .batch || $0 == .unit }), input.axes[..<split].contains(.batch)
            else { throw node.refused("axis \(axis) does not part the batch from the rest") }
            return try flattened(input, node)
        default:
            return try reshaped(node, input, try call.input(1))
        }
    }

    /// `[batch, features]`.
    private mutating func flattened(_ input: ActivationValue, _ node: ONNXNode) throws(ModelError) -> ActivationValue {
        var result = try flattened(input, label: node.label, name: node.name)
        result.axes = ActivationValue.normalized([.batch, .channel], for: lowered.shape(of: result.value))
        return result
    }

    private func expanded(_ node: ONNXNode, _ input: ActivationValue) throws(ModelError) -> ActivationValue {
        guard case .integers(let target) = try requiredConstant(node, 1).elements, target.count <= input.axes.count,
            zip(target.reversed(), dimensions(of: input).reversed()).allSatisfy({ $0 == .known(1) || $0 == $1 })
        else { throw node.refused("to another shape") }
        return input
    }

    private mutating func reshaped(
        _ node: ONNXNode, _ input: ActivationValue, _ target: ConstantTensor
    ) throws(ModelError) -> ActivationValue {
        guard case .integers(let listed) = target.elements, target.shape.count == 1,
            listed.count <= ONNXTensor.maximumRank
        else { throw node.refused("to a shape that is no list of integers") }
        let sizes = try resolve(node, listed, of: input)
        // Axes of size 1 come and go freely; what is left must be the same axes, or joined ones.
        let shape = lowered.shape(of: input.value)
        let present = input.axes.filter { $0 != .unit }
        let wanted = sizes.filter { $0 != .known(1) }
        let presentSizes = present.map { axis in
            ActivationValue.size(of: axis, in: shape).map { ConstantTensor.Integer.known(Int64($0)) } ?? .batch
        }
        if wanted == presentSizes {
            var rest = present.makeIterator()
            let axes = sizes.compactMap { $0 == .known(1) ? .unit : rest.next() }
            return ActivationValue(value: input.value, axes: axes, order: input.order)
        }
        if wanted == [.batch, .known(Int64(shape.count))], present.first == .batch {
            var result = try flattened(input, node)
            result.axes = sizes.map { $0 == .known(1) ? .unit : $0 == .batch ? .batch : .channel }
            return result
        }
        if case .image(let height, let width, let channels) = shape {
            let joined: [ActivationValue.Axis]? =
                switch present {
                case [.batch, .channel, .height, .width]: [.batch, .channel, .pixels]
                case [.batch, .height, .width, .channel]: [.batch, .pixels, .channel]
                default: nil
                }
            let sizesOf: [ActivationValue.Axis: Int] = [.channel: channels, .pixels: height * width]
            if let joined,
                wanted == joined.map({ axis in sizesOf[axis].map { .known(Int64($0)) } ?? .batch })
            {
                var rest = joined.makeIterator()
                let axes = sizes.compactMap { $0 == .known(1) ? .unit : rest.next() }
                return ActivationValue(value: input.value, axes: axes, order: input.order)
            }
        }
        throw node.refused("from \(Self.text(dimensions(of: input))) to \(Self.text(sizes))")
    }

    private static func text(_ sizes: [ConstantTensor.Integer]) -> String {
        let parts = sizes.map { if case .known(let value) = $0 { "\(value)" } else { "batch" } }
        return "[\(parts.joined(separator: ", "))]"
    }

    /// The sizes that a `Reshape` asks for, with 0 and -1 resolved.
    private func resolve(
        _ node: ONNXNode, _ listed: [ConstantTensor.Integer], of input: ActivationValue
    ) throws(ModelError) -> [ConstantTensor.Integer] {
        let elements = lowered.shape(of: input.value).count
        let current = dimensions(of: input)
        var sizes = listed
        if try node.integer("allowzero", default: 0) == 0 {
            for index in sizes.indices where sizes[index] == .known(0) {
                guard index < current.count else { throw node.refused("a 0 beyond the input's dimensions") }
                sizes[index] = current[index]
            }
        }
        if !sizes.contains(.batch), let fixedBatch, sizes.first == .known(Int64(fixedBatch)),
            fixedBatch != 1 || !sizes.contains(.known(-1)) || Self.product(sizes) != elements
        {
            sizes[0] = .batch
        }
        let product = Self.product(sizes)
        let open = sizes.indices.filter { sizes[$0] == .known(-1) }
        guard let product, product > 0, open.count <= 1 else { throw node.refused("to \(Self.text(listed))") }
        if let open = open.first {
            // -1 stands for the batch where the other sizes hold a whole image.
            if sizes.contains(.batch) {
                guard elements % product == 0 else { throw node.refused("to \(Self.text(listed))") }
                sizes[open] = .known(Int64(elements / product))
            } else {
                guard product == elements else { throw node.refused("to \(Self.text(listed)): it would mix images") }
                sizes[open] = .batch
            }
        } else {
            guard sizes.filter({ $0 == .batch }).count == 1, product == elements else {
                throw node.refused("to \(Self.text(listed)), which does not hold the batch")
            }
        }
        return sizes
    }

    /// Product of the sizes that are known; nil where it is out of range.
    private static func product(_ sizes: [ConstantTensor.Integer]) -> Int? {
        var product = 1
        for case .known(let size) in sizes where size != -1 {
            let (next, overflows) = product.multipliedReportingOverflow(by: Int(size))
            guard size >= 0, !overflows else { return nil }
            product = next
        }
        return product
    }
}
