import Foundation
import Testing

@testable import Inference

/// Constant subgraphs, by the sizes that they give a `Reshape`: ONNX's integer semantics.
struct ConstantTests {
    /// Tensors of all kinds as operands, by what their values are after a cast to integers.
    @Test(arguments: [
        (ONNXFile.Tensor(name: "t", type: 1, shape: [2], floats: [-1.5, 48.9]), [-1, 48]),
        (ONNXFile.Tensor(name: "t", type: 6, shape: [2], integers: [-1, 48]), [-1, 48]),
        (ONNXFile.Tensor(name: "t", type: 6, shape: [2], raw: Data([255, 255, 255, 255, 48, 0, 0, 0])), [-1, 48]),
        (ONNXFile.Tensor(name: "t", type: 3, shape: [2], raw: Data([255, 48])), [-1, 48]),
        (ONNXFile.Tensor(name: "t", type: 2, shape: [2], raw: Data([1, 48])), [1, 48]),
        (ONNXFile.Tensor(name: "t", type: 10, shape: [2], raw: Data([0x00, 0xbc, 0x00, 0x52])), [-1, 48]),
        (ONNXFile.Tensor(name: "t", type: 10, shape: [2], integers: [0xbc00, 0x5200]), [-1, 48]),
        (ONNXFile.Tensor(name: "t", type: 16, shape: [2], raw: Data([0x80, 0xbf, 0x40, 0x42])), [-1, 48]),
        (ONNXFile.Tensor(name: "t", type: 11, shape: [2], raw: [-1.0, 48.0].withUnsafeBytes { Data($0) }), [-1, 48]),
    ])
    func readsElements(_ tensor: ONNXFile.Tensor, _ wanted: [Int64]) throws {
        let folder = try ONNXFile.mean.onDisk()
        var file = ONNXFile()
        file.tensors = [tensor]
        file.node("Cast", ["t"], "features", ["to": .integer(7)])
        let path = folder.path
        try file.data.write(to: URL(fileURLWithPath: path))
        let model = try ONNXModel(file: MappedFile(path: path))
        let constant = try #require(model.graph.initializers["t"]).decoded(external: ONNXExternalData(model: path))
        let call = ConstantCall(
            node: model.graph.nodes[0], inputs: [constant], opset: 17, data: ONNXExternalData(model: path))
        #expect(try call.known(call.rearrange()[0]) == wanted.map(Int.init))
    }

    /// Operator, operands, result.
    static let arithmetic: [(String, [[Int64]], [Int])] = [
        ("Add", [[1, 2], [10]], [11, 12]), ("Sub", [[1, 2], [10, 20]], [-9, -18]),
        ("Mul", [[-3], [4, 5]], [-12, -15]),
        // Division truncates toward zero.
        ("Div", [[7, -7, 7, -7], [2, 2, -2, -2]], [3, -3, -3, 3]),
        // The remainder has the divisor's sign.
        ("Mod", [[7, -7, 7, -7], [3, 3, -3, -3]], [1, 2, -2, -1]),
        ("Min", [[1, 9], [5, 5], [3]], [1, 3]), ("Max", [[1, 9], [5, 5], [3]], [5, 9]),
        ("Equal", [[1, 2], [1]], [1, 0]), ("Less", [[1, 2], [2]], [1, 0]), ("GreaterOrEqual", [[1, 2], [2]], [0, 1]),
        ("And", [[1, 1, 0], [1, 0, 0]], [1, 0, 0]), ("Or", [[1, 1, 0], [1, 0, 0]], [1, 1, 0]),
        ("Where", [[1, 0], [5, 6], [7, 8]], [5, 8]), ("Neg", [[3, -4]], [-3, 4]), ("Abs", [[3, -4]], [3, 4]),
        ("Not", [[1, 0]], [0, 1]), ("Range", [[2], [11], [3]], [2, 5, 8]), ("Range", [[3], [0], [-1]], [3, 2, 1]),
        ("Gather", [[10, 20, 30], [-1, 0]], [30, 10]), ("Concat", [[1], [2, 3]], [1, 2, 3]),
        ("Slice", [[1, 2, 3, 4, 5], [1], [4]], [2, 3, 4]), ("Slice", [[1, 2, 3, 4, 5], [-2], [1 << 62]], [4, 5]),
        ("Slice", [[1, 2, 3, 4, 5], [-1], [-100], [0], [-2]], [5, 3, 1]), ("Slice", [[1, 2, 3], [5], [9]], []),
        ("Reshape", [[1, 2, 3, 4], [2, -1]], [1, 2, 3, 4]), ("Expand", [[7], [3]], [7, 7, 7]),
        ("ReduceProd", [[2, 3, 4]], [24]), ("Shape", [[5, 6, 7]], [3]), ("Size", [[5, 6, 7]], [3]),
    ]

    @Test(arguments: arithmetic.indices)
    func evaluates(_ index: Int) throws {
        let (operation, operands, wanted) = Self.arithmetic[index]
        var file = ONNXFile()
        file.node(
            operation, operands.indices.map { "x\($0)" }, "features",
            operation == "Concat" ? ["axis": .integer(0)] : [:])
        let disk = try file.onDisk()
        let node = try ONNXModel(file: MappedFile(path: disk.path)).graph.nodes[0]
        let isScalar = operation == "Range"
        let inputs = operands.map { values in
            ConstantTensor(
                type: .int64, shape: isScalar ? [] : [values.count], elements: .integers(values.map { .known($0) }))
        }
        var evaluator = ConstantEvaluator()
        let result = try evaluator.evaluate(node, inputs, opset: 17, data: ONNXExternalData(model: disk.path))
        #expect(try result[0].knownIntegers { ModelError($0) } == wanted)
    }

    /// The batch size passes through what does not depend on it.
    @Test(arguments: [
        ("Add", ConstantTensor.Integer.known(0), ConstantTensor.Integer.batch), ("Sub", .known(0), .batch),
        ("Mul", .known(1), .batch), ("Mul", .known(0), .known(0)), ("Div", .known(1), .batch),
        ("Sub", .batch, .known(0)),
        ("Div", .batch, .known(1)), ("Max", .known(1), .batch), ("Min", .known(1), .known(1)),
        ("Equal", .known(-1), .known(0)), ("Equal", .batch, .known(1)), ("Greater", .known(0), .known(1)),
        ("Less", .known(0), .known(0)),
    ])
    func keepsTheBatchOpen(
        _ operation: String, _ operand: ConstantTensor.Integer, _ wanted: ConstantTensor.Integer
    ) throws {
        var file = ONNXFile()
        file.node(operation, ["a", "b"], "features")
        let disk = try file.onDisk()
        let node = try ONNXModel(file: MappedFile(path: disk.path)).graph.nodes[0]
        var evaluator = ConstantEvaluator()
        let inputs = [ConstantTensor(integers: [.batch]), ConstantTensor(integers: [operand])]
        let result = try evaluator.evaluate(node, inputs, opset: 17, data: ONNXExternalData(model: disk.path))
        guard case .integers(let values) = result[0].elements else {
            Issue.record("not integers")
            return
        }
        #expect(values == [wanted])
    }
}
