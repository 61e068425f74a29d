import Foundation

/// Element by element arithmetic on constants.
extension ConstantEvaluator {
    typealias Integer = ConstantTensor.Integer

    /// An operator of two arguments: on floats, and on integers. Nil is a result that the operator does not have.
    struct Binary: Sendable {
        var floats: @Sendable (Float, Float) -> Float?
        var integers: @Sendable (Int64, Int64) -> Int64?
        /// With the batch size b on the left or on the right; nil where the result depends on b.
        var batch: @Sendable (Integer, Integer) -> Integer?
        var givesBoolean = false
    }

    static let arithmetic: [String: Binary] = [
        "Add": Binary(
            floats: { $0 + $1 }, integers: { checked($0.addingReportingOverflow($1)) },
            batch: { $1 == .known(0) ? $0 : $0 == .known(0) ? $1 : nil }),
        "Sub": Binary(
            floats: { $0 - $1 }, integers: { checked($0.subtractingReportingOverflow($1)) },
            batch: { $1 == .known(0) ? $0 : $0 == $1 ? .known(0) : nil }),
        "Mul": Binary(
            floats: { $0 * $1 }, integers: { checked($0.multipliedReportingOverflow(by: $1)) },
            batch: {
                if $0 == .known(0) || $1 == .known(0) { return .known(0) }
                return $1 == .known(1) ? $0 : $0 == .known(1) ? $1 : nil
            }),
        "Div": Binary(
            floats: { $0 / $1 }, integers: { $1 == 0 ? nil : checked($0.dividedReportingOverflow(by: $1)) },
            batch: { $1 == .known(1) ? $0 : $0 == $1 ? .known(1) : nil }),
        // Python's: the result has the divisor's sign. `fmod` is dealt with where it is called.
        "Mod": Binary(
            floats: { _, _ in nil },
            integers: {
                guard $1 != 0, let remainder = checked($0.remainderReportingOverflow(dividingBy: $1)) else {
                    return nil
                }
                return remainder != 0 && (remainder < 0) != ($1 < 0) ? remainder + $1 : remainder
            },
            batch: { $1 == .known(1) || $0 == $1 ? .known(0) : nil }),
        "Pow": Binary(floats: { pow($0, $1) }, integers: { _, _ in nil }, batch: { _, _ in nil }),
        "Min": Binary(
            floats: { Swift.min($0, $1) }, integers: { Swift.min($0, $1) },
            batch: { least($0, $1) ?? least($1, $0) }),
        "Max": Binary(
            floats: { Swift.max($0, $1) }, integers: { Swift.max($0, $1) },
            batch: { least($0, $1) == nil ? (least($1, $0) == nil ? nil : $0) : $1 }),
        "Equal": comparison({ $0 == $1 }, { $0 == $1 }, whenLess: false),
        "Greater": comparison({ $0 > $1 }, { $0 > $1 }, whenLess: false),
        "GreaterOrEqual": comparison({ $0 >= $1 }, { $0 >= $1 }, whenLess: false),
        "Less": comparison({ $0 < $1 }, { $0 < $1 }, whenLess: true),
        "LessOrEqual": comparison({ $0 <= $1 }, { $0 <= $1 }, whenLess: true),
        "And": Binary(floats: { _, _ in nil }, integers: { $0 & $1 }, batch: { _, _ in nil }, givesBoolean: true),
        "Or": Binary(floats: { _, _ in nil }, integers: { $0 | $1 }, batch: { _, _ in nil }, givesBoolean: true),
    ]

    struct Unary: Sendable {
        var floats: @Sendable (Float) -> Float?
        var integers: @Sendable (Int64) -> Int64?
    }

    static let unary: [String: Unary] = [
        "Neg": Unary(floats: { -$0 }, integers: { checked(Int64(0).subtractingReportingOverflow($0)) }),
        "Abs": Unary(floats: { abs($0) }, integers: { $0 == .min ? nil : abs($0) }),
        "Floor": Unary(floats: { $0.rounded(.down) }, integers: { _ in nil }),
        "Ceil": Unary(floats: { $0.rounded(.up) }, integers: { _ in nil }),
        "Round": Unary(floats: { $0.rounded(.toNearestOrEven) }, integers: { _ in nil }),
        "Sqrt": Unary(floats: { $0.squareRoot() }, integers: { _ in nil }),
        "Reciprocal": Unary(floats: { 1 / $0 }, integers: { _ in nil }),
        "Exp": Unary(floats: { exp($0) }, integers: { _ in nil }),
        "Not": Unary(floats: { _ in nil }, integers: { 1 - $0 }),
    ]

    private static func checked(_ result: (partialValue: Int64, overflow: Bool)) -> Int64? {
        result.overflow ? nil : result.partialValue
    }

    /// `number`, if it is at most 1 and so never more than the batch size `other`.
    private static func least(_ number: Integer, _ other: Integer) -> Integer? {
        if number == other { return number }
        if case .known(let value) = number, value <= 1, other == .batch { return number }
        return nil
    }

    /// - Parameter whenLess: the result where the left side is less.
    private static func comparison(
        _ floats: @escaping @Sendable (Float, Float) -> Bool, _ integers: @escaping @Sendable (Int64, Int64) -> Bool,
        whenLess: Bool
    ) -> Binary {
        Binary(
            floats: { floats($0, $1) ? 1 : 0 }, integers: { integers($0, $1) ? 1 : 0 },
            batch: { left, right in
                if left == right { return .known(integers(0, 0) ? 1 : 0) }
                // The batch size is more than any number below 1.
                if case .known(let value) = left, value < 1 { return .known(integers(0, 1) ? 1 : 0) }
                if case .known(let value) = right, value < 1 { return .known(integers(1, 0) ? 1 : 0) }
                return nil
            }, givesBoolean: true)
    }
}

extension ConstantCall {
    /// `Add(a, b)`, and `Min(a, b, c…)` from left to right.
    func elementwise(_ operation: ConstantEvaluator.Binary) throws(ModelError) -> ConstantTensor {
        var result = try input(0)
        for index in inputs.indices.dropFirst() { result = try combine(result, try input(index), operation) }
        return result
    }

    private func combine(
        _ a: ConstantTensor, _ b: ConstantTensor, _ operation: ConstantEvaluator.Binary
    ) throws(ModelError) -> ConstantTensor {
        guard let shape = ConstantTensor.broadcast(a.shape, b.shape) else {
            throw refused("shapes \(a.shape) and \(b.shape) do not broadcast")
        }
        _ = try checkedCount(shape)
        let left = ConstantTensor.broadcastIndices(from: a.shape, to: shape)
        let right = ConstantTensor.broadcastIndices(from: b.shape, to: shape)
        let type = operation.givesBoolean ? .boolean : a.type
        switch (a.elements, b.elements) {
        case (.floats(let x), .floats(let y)):
            var values: [Float] = []
            values.reserveCapacity(left.count)
            for (i, j) in zip(left, right) {
                guard let value = operation.floats(x[i], y[j]) else { throw refused("not defined for floats") }
                values.append(value)
            }
            guard operation.givesBoolean else {
                return ConstantTensor(type: type, shape: shape, elements: .floats(values))
            }
            return ConstantTensor(type: type, shape: shape, elements: .integers(values.map { .known($0 == 0 ? 0 : 1) }))
        case (.integers(let x), .integers(let y)):
            var values: [ConstantTensor.Integer] = []
            values.reserveCapacity(left.count)
            for (i, j) in zip(left, right) { values.append(try combine(x[i], y[j], operation)) }
            return ConstantTensor(type: type, shape: shape, elements: .integers(values))
        default: throw refused("floats and integers together")
        }
    }

    private func combine(
        _ x: ConstantTensor.Integer, _ y: ConstantTensor.Integer, _ operation: ConstantEvaluator.Binary
    ) throws(ModelError) -> ConstantTensor.Integer {
        guard case .known(let a) = x, case .known(let b) = y else {
            guard let value = operation.batch(x, y) else {
                throw refused("computes with the batch size, which stays open")
            }
            return value
        }
        if node.operation == "Mod", try node.integer("fmod", default: 0) == 1, b != 0 {
            return .known(a.remainderReportingOverflow(dividingBy: b).partialValue)
        }
        guard let value = operation.integers(a, b) else {
            throw refused("overflow or division by zero, or not defined for integers")
        }
        return .known(value)
    }

    func unary(_ operation: ConstantEvaluator.Unary) throws(ModelError) -> ConstantTensor {
        let tensor = try input(0)
        switch tensor.elements {
        case .floats(let values):
            let results = values.compactMap(operation.floats)
            guard results.count == values.count else { throw refused("not defined for floats") }
            return ConstantTensor(type: tensor.type, shape: tensor.shape, elements: .floats(results))
        case .integers:
            let values = try known(tensor)
            let results = values.compactMap { operation.integers(Int64($0)) }
            guard results.count == values.count else { throw refused("overflow, or not defined for integers") }
            return ConstantTensor(
                type: tensor.type, shape: tensor.shape, elements: .integers(results.map { .known($0) }))
        }
    }

    func select() throws(ModelError) -> ConstantTensor {
        let condition = try input(0)
        let a = try input(1)
        let b = try input(2)
        guard let some = ConstantTensor.broadcast(a.shape, b.shape),
            let shape = ConstantTensor.broadcast(condition.shape, some)
        else { throw refused("shapes do not broadcast") }
        _ = try checkedCount(shape)
        let flags = try known(condition)
        let which = ConstantTensor.broadcastIndices(from: condition.shape, to: shape).map { flags[$0] != 0 }
        let left = ConstantTensor.broadcastIndices(from: a.shape, to: shape)
        let right = ConstantTensor.broadcastIndices(from: b.shape, to: shape)
        switch (a.elements, b.elements) {
        case (.floats(let x), .floats(let y)):
            let values = which.indices.map { which[$0] ? x[left[$0]] : y[right[$0]] }
            return ConstantTensor(type: a.type, shape: shape, elements: .floats(values))
        case (.integers(let x), .integers(let y)):
            let values = which.indices.map { which[$0] ? x[left[$0]] : y[right[$0]] }
            return ConstantTensor(type: a.type, shape: shape, elements: .integers(values))
        default: throw refused("floats and integers together")
        }
    }

    /// Product, sum, minimum or maximum of all elements of an integer tensor, as the arithmetic on shapes needs it.
    func reduce() throws(ModelError) -> ConstantTensor {
        let tensor = try input(0)
        guard case .integers(let values) = tensor.elements else { throw refused("only integers are evaluated") }
        let axes = Set(
            try (try axes() ?? Array(tensor.shape.indices)).map { (value) throws(ModelError) in
                try axis(value, rank: tensor.shape.count)
            })
        guard axes.count == tensor.shape.count else { throw refused("only over all axes") }
        let name = ["ReduceProd": "Mul", "ReduceSum": "Add", "ReduceMin": "Min", "ReduceMax": "Max"][node.operation]
        guard let operation = name.flatMap({ ConstantEvaluator.arithmetic[$0] }), var result = values.first else {
            throw refused("of no elements")
        }
        for value in values.dropFirst() { result = try combine(result, value, operation) }
        let keeps = try node.integer("keepdims", default: 1) != 0
        return ConstantTensor(
            type: tensor.type, shape: keeps ? tensor.shape.map { _ in 1 } : [], elements: .integers([result]))
    }
}
