/// A tensor that does not depend on pixels. Integers may be the batch size, which stays symbolic.
struct ConstantTensor {
    enum Integer: Equatable {
        case known(Int64)
        /// The number of images, at least 1.
        case batch
    }

    enum Elements {
        case floats([Float])
        /// Integers of all sizes, and booleans as 0 and 1.
        case integers([Integer])

        var count: Int {
            switch self {
            case .floats(let values): values.count
            case .integers(let values): values.count
            }
        }

        /// The elements at some places, in their order.
        func gathered(_ indices: [Int]) -> Elements {
            switch self {
            case .floats(let values): .floats(indices.map { values[$0] })
            case .integers(let values): .integers(indices.map { values[$0] })
            }
        }
    }

    var type: ONNXTensor.ElementType
    var shape: [Int]
    /// As many as the product of `shape`, row-major.
    var elements: Elements

    var count: Int { elements.count }

    init(type: ONNXTensor.ElementType, shape: [Int], elements: Elements) {
        self.type = type
        self.shape = shape
        self.elements = elements
    }

    init(integers: [Integer]) {
        self.init(type: .int64, shape: [integers.count], elements: .integers(integers))
    }

    func reshaped(_ shape: [Int]) -> ConstantTensor { ConstantTensor(type: type, shape: shape, elements: elements) }

    /// For each element of a tensor of shape `shape`, the place of the element that is broadcast to it. `source` must be broadcastable to `shape`.
    static func broadcastIndices(from source: [Int], to shape: [Int]) -> [Int] {
        var strides = [Int](repeating: 0, count: shape.count)
        var stride = 1
        for axis in source.indices.reversed() {
            strides[shape.count - source.count + axis] = source[axis] == 1 ? 0 : stride
            stride *= source[axis]
        }
        return walk(shape: shape, strides: strides)
    }

    /// The places that a walk in row-major order over `shape` with these strides visits.
    static func walk(shape: [Int], strides: [Int], start: Int = 0) -> [Int] {
        guard !shape.contains(0) else { return [] }
        var places = [start]
        for (size, stride) in zip(shape, strides) {
            var next: [Int] = []
            next.reserveCapacity(places.count * size)
            for place in places {
                for step in 0..<size { next.append(place + step * stride) }
            }
            places = next
        }
        return places
    }

    /// Row-major strides.
    static func strides(of shape: [Int]) -> [Int] {
        var strides = [Int](repeating: 1, count: shape.count)
        for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * shape[axis + 1] }
        return strides
    }

    /// The shape that two shapes broadcast to (ONNX, "multidirectional broadcasting"); nil where they do not.
    static func broadcast(_ a: [Int], _ b: [Int]) -> [Int]? {
        var shape: [Int] = []
        for place in 0..<max(a.count, b.count) {
            let first = place < a.count ? a[a.count - 1 - place] : 1
            let second = place < b.count ? b[b.count - 1 - place] : 1
            guard first == second || first == 1 || second == 1 else { return nil }
            shape.append(first == 1 ? second : first)
        }
        return shape.reversed()
    }
}
