/// Operators that make, convert and rearrange constants without arithmetic.
extension ConstantEvaluator {
    static let layout: Set<String> = [
        "Constant", "ConstantOfShape", "Identity", "Dropout", "Cast", "Shape", "Size", "Gather", "Concat", "Slice",
        "Squeeze",
        "Unsqueeze", "Reshape", "Flatten", "Transpose", "Range", "Expand", "Split",
    ]
}

extension ConstantCall {
    func rearrange() throws(ModelError) -> [ConstantTensor] {
        switch node.operation {
        case "Constant": [try constant()]
        case "ConstantOfShape": [try constantOfShape()]
        case "Identity", "Dropout": [try input(0)]
        case "Cast": [try cast()]
        case "Shape": [ConstantTensor(integers: try shape(of: input(0).shape.map { .known(Int64($0)) }))]
        case "Size": [ConstantTensor(type: .int64, shape: [], elements: .integers([.known(Int64(try input(0).count))]))]
        case "Gather": [try gather()]
        case "Concat": [try concatenate()]
        case "Slice": [try slice()]
        case "Squeeze", "Unsqueeze", "Reshape", "Flatten": [try reshape()]
        case "Transpose": [try transpose()]
        case "Range": [try range()]
        case "Expand": [try expand()]
        case "Split": try split()
        default: throw refused("not supported")
        }
    }

    private func constant() throws(ModelError) -> ConstantTensor {
        switch (node.attributes["value"], node.attributes["value_int"], node.attributes["value_float"]) {
        case (.tensor(let tensor), _, _): return try tensor.decoded(external: data)
        case (_, .integer(let value), _):
            return ConstantTensor(type: .int64, shape: [], elements: .integers([.known(value)]))
        case (_, _, .float(let value)): return ConstantTensor(type: .float32, shape: [], elements: .floats([value]))
        default: break
        }
        if case .integers(let values) = node.attributes["value_ints"] {
            return ConstantTensor(integers: values.map { .known($0) })
        }
        if case .floats(let values) = node.attributes["value_floats"] {
            return ConstantTensor(type: .float32, shape: [values.count], elements: .floats(values))
        }
        throw refused("a constant of this kind is not supported")
    }

    private func constantOfShape() throws(ModelError) -> ConstantTensor {
        let shape = try known(input(0))
        let count = try checkedCount(shape)
        guard case .tensor(let tensor) = node.attributes["value"] else {
            return ConstantTensor(type: .float32, shape: shape, elements: .floats([Float](repeating: 0, count: count)))
        }
        let value = try tensor.decoded(external: data)
        guard value.count == 1 else { throw refused("a value of \(value.count) elements") }
        let elements = value.elements.gathered([Int](repeating: 0, count: count))
        return ConstantTensor(type: value.type, shape: shape, elements: elements)
    }

    private func cast() throws(ModelError) -> ConstantTensor {
        let tensor = try input(0)
        let number = try node.integer("to", default: 0)
        guard let type = ONNXTensor.ElementType(rawValue: number) else { throw refused("to type \(number)") }
        switch tensor.elements {
        case .floats(let values) where type.isFloat:
            let rounded = type == .float16 ? values.map { Half.widen(Half.bits($0)) } : values
            return ConstantTensor(type: type, shape: tensor.shape, elements: .floats(rounded))
        case .floats(let values):
            let integers = values.compactMap {
                type == .boolean ? ($0 == 0 ? 0 : 1) : Int64(exactly: $0.rounded(.towardZero))
            }
            guard integers.count == values.count else { throw refused("a float beyond the integers") }
            return try fitted(integers.map { .known($0) }, type, tensor.shape)
        case .integers(let values) where type.isFloat:
            _ = values
            let floats = try known(tensor).map { Float($0) }
            return ConstantTensor(type: type, shape: tensor.shape, elements: .floats(floats))
        case .integers(let values):
            if type == .boolean {
                let flags = values.map { $0 == .known(0) ? ConstantTensor.Integer.known(0) : .known(1) }
                return ConstantTensor(type: type, shape: tensor.shape, elements: .integers(flags))
            }
            return try fitted(values, type, tensor.shape)
        }
    }

    private func fitted(
        _ values: [ConstantTensor.Integer], _ type: ONNXTensor.ElementType, _ shape: [Int]
    ) throws(ModelError) -> ConstantTensor {
        if type == .int32 {
            for case .known(let value) in values where Int32(exactly: value) == nil {
                throw refused("\(value) does not fit 32 bits")
            }
        }
        return ConstantTensor(type: type, shape: shape, elements: .integers(values))
    }

    /// A `Shape` node's result, with its `start` and `end` (opset 15).
    func shape(of dimensions: [ConstantTensor.Integer]) throws(ModelError) -> [ConstantTensor.Integer] {
        let rank = dimensions.count
        func clamp(_ value: Int64) -> Int {
            Swift.min(Swift.max(Int(clamping: value) + (value < 0 ? rank : 0), 0), rank)
        }
        let start = clamp(try node.integer("start", default: 0))
        let end = clamp(try node.integer("end", default: Int64(rank)))
        return start < end ? Array(dimensions[start..<end]) : []
    }

    private func gather() throws(ModelError) -> ConstantTensor {
        let tensor = try input(0)
        let indices = try input(1)
        let axis = try axis(Int(clamping: node.integer("axis", default: 0)), rank: tensor.shape.count)
        let size = tensor.shape[axis]
        let places = try known(indices).map { $0 < 0 ? $0 + size : $0 }
        guard places.allSatisfy({ (0..<size).contains($0) }) else { throw refused("an index outside the tensor") }
        let outer = Array(tensor.shape[..<axis])
        let inner = Array(tensor.shape[(axis + 1)...])
        let shape = outer + indices.shape + inner
        _ = try checkedCount(shape)
        let block = inner.reduce(1, *)
        var elements: [Int] = []
        for row in 0..<outer.reduce(1, *) {
            for place in places { elements += ((row * size + place) * block)..<((row * size + place + 1) * block) }
        }
        return ConstantTensor(type: tensor.type, shape: shape, elements: tensor.elements.gathered(elements))
    }

    private func concatenate() throws(ModelError) -> ConstantTensor {
        let first = try input(0)
        let axis = try axis(Int(clamping: node.integer("axis", default: 0)), rank: first.shape.count)
        var shape = first.shape
        shape[axis] = 0
        var tensors: [ConstantTensor] = []
        for index in inputs.indices {
            let tensor = try input(index)
            var others = tensor.shape
            guard others.count == shape.count else { throw refused("inputs of unlike shapes") }
            shape[axis] += others[axis]
            others[axis] = shape[axis]
            guard others == shape else { throw refused("inputs of unlike shapes") }
            tensors.append(tensor)
        }
        _ = try checkedCount(shape)
        let rows = shape[..<axis].reduce(1, *)
        func joined<Element>(_ lists: [[Element]]) -> [Element] {
            var result: [Element] = []
            for row in 0..<rows {
                for list in lists {
                    let block = list.count / rows
                    result += list[row * block..<(row + 1) * block]
                }
            }
            return result
        }
        var floats: [[Float]] = []
        var integers: [[ConstantTensor.Integer]] = []
        for tensor in tensors {
            switch tensor.elements {
            case .floats(let values): floats.append(values)
            case .integers(let values): integers.append(values)
            }
        }
        guard floats.isEmpty || integers.isEmpty else { throw refused("floats and integers together") }
        let elements: ConstantTensor.Elements = integers.isEmpty ? .floats(joined(floats)) : .integers(joined(integers))
        return ConstantTensor(type: first.type, shape: shape, elements: elements)
    }

    private func slice() throws(ModelError) -> ConstantTensor {
        let tensor = try input(0)
        var shape = tensor.shape
        var strides = ConstantTensor.strides(of: shape)
        var start = 0
        for slice in try slices(sizes: tensor.shape) {
            start += slice.start * strides[slice.axis]
            strides[slice.axis] *= slice.step
            shape[slice.axis] = slice.count
        }
        let places = ConstantTensor.walk(shape: shape, strides: strides, start: start)
        return ConstantTensor(type: tensor.type, shape: shape, elements: tensor.elements.gathered(places))
    }

    private func reshape() throws(ModelError) -> ConstantTensor {
        let tensor = try input(0)
        let target: [Int]
        switch node.operation {
        case "Squeeze":
            let axes = try axes() ?? tensor.shape.indices.filter { tensor.shape[$0] == 1 }
            let dropped = Set(try axes.map { (value) throws(ModelError) in try axis(value, rank: tensor.shape.count) })
            target = tensor.shape.indices.filter { !dropped.contains($0) }.map { tensor.shape[$0] }
        case "Unsqueeze":
            target = try unsqueezed(tensor.shape, with: 1)
        case "Flatten":
            let axis = try Int(clamping: node.integer("axis", default: 1))
            let split = axis < 0 ? axis + tensor.shape.count : axis
            guard (0...tensor.shape.count).contains(split) else { throw refused("axis \(axis)") }
            target = [tensor.shape[..<split].reduce(1, *), tensor.shape[split...].reduce(1, *)]
        default:
            var sizes = try known(input(1))
            let copiesZeros = try node.integer("allowzero", default: 0) == 0
            for index in sizes.indices where sizes[index] == 0 && copiesZeros {
                guard index < tensor.shape.count else { throw refused("a 0 beyond the input's dimensions") }
                sizes[index] = tensor.shape[index]
            }
            if let open = sizes.firstIndex(of: -1) {
                sizes[open] = 1
                let rest = try checkedCount(sizes)
                guard rest > 0, tensor.count % rest == 0 else {
                    throw refused("\(tensor.shape) cannot take that shape")
                }
                sizes[open] = tensor.count / rest
            }
            target = sizes
        }
        guard try checkedCount(target) == tensor.count else { throw refused("\(tensor.shape) cannot become \(target)") }
        return tensor.reshaped(target)
    }

    /// A list of dimensions (or axes) with `one` put in at the places that an `Unsqueeze` names.
    func unsqueezed<Element>(_ dimensions: [Element], with one: Element) throws(ModelError) -> [Element] {
        guard let axes = try axes() else { throw refused("no axes") }
        let rank = dimensions.count + axes.count
        let places = Set(try axes.map { (value) throws(ModelError) in try axis(value, rank: rank) })
        guard places.count == axes.count else { throw refused("an axis comes twice") }
        var rest = dimensions.makeIterator()
        return (0..<rank).compactMap { places.contains($0) ? one : rest.next() }
    }

    private func transpose() throws(ModelError) -> ConstantTensor {
        let tensor = try input(0)
        let order = try permutation(rank: tensor.shape.count)
        let strides = ConstantTensor.strides(of: tensor.shape)
        let shape = order.map { tensor.shape[$0] }
        let places = ConstantTensor.walk(shape: shape, strides: order.map { strides[$0] })
        return ConstantTensor(type: tensor.type, shape: shape, elements: tensor.elements.gathered(places))
    }

    /// A `Transpose` node's order of axes.
    func permutation(rank: Int) throws(ModelError) -> [Int] {
        let order = try node.integers("perm")?.map { Int(clamping: $0) } ?? Array((0..<rank).reversed())
        guard order.sorted() == Array(0..<rank) else { throw refused("perm \(order) does not fit \(rank) dimensions") }
        return order
    }

    private func range() throws(ModelError) -> ConstantTensor {
        let bounds = try [known(input(0)), known(input(1)), known(input(2))].map { $0.first ?? 0 }
        guard bounds[2] != 0 else { throw refused("a step of 0") }
        let values = stride(from: bounds[0], to: bounds[1], by: bounds[2])
        let (distance, overflows) = bounds[1].subtractingReportingOverflow(bounds[0])
        guard !overflows, distance.magnitude / bounds[2].magnitude < UInt(ConstantEvaluator.maximumGrownElements) else {
            throw refused("a constant of too many elements")
        }
        return ConstantTensor(integers: values.map { .known(Int64($0)) })
    }

    private func expand() throws(ModelError) -> ConstantTensor {
        let tensor = try input(0)
        guard let shape = ConstantTensor.broadcast(tensor.shape, try known(input(1))) else {
            throw refused("\(tensor.shape) does not broadcast")
        }
        _ = try checkedCount(shape)
        let places = ConstantTensor.broadcastIndices(from: tensor.shape, to: shape)
        return ConstantTensor(type: tensor.type, shape: shape, elements: tensor.elements.gathered(places))
    }

    private func split() throws(ModelError) -> [ConstantTensor] {
        let tensor = try input(0)
        let axis = try axis(Int(clamping: node.integer("axis", default: 0)), rank: tensor.shape.count)
        let strides = ConstantTensor.strides(of: tensor.shape)
        return try splitSizes(of: tensor.shape[axis]).map { range in
            var shape = tensor.shape
            shape[axis] = range.count
            let places = ConstantTensor.walk(shape: shape, strides: strides, start: range.lowerBound * strides[axis])
            return ConstantTensor(type: tensor.type, shape: shape, elements: tensor.elements.gathered(places))
        }
    }
}
