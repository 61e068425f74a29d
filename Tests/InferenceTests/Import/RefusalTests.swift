import Foundation
import Testing

@testable import Inference

/// What cannot be imported is refused by operator and node name.
struct RefusalTests {
    /// Operators that are not supported, and supported ones in a way that is not.
    static let nodes: [(String, [String], [String: ONNXFile.Attribute], String)] = [
        ("Softmax", ["image"], [:], "operator Softmax \"n0\": not supported"),
        ("LSTM", ["image"], [:], "operator LSTM \"n0\": not supported"),
        ("If", ["image"], ["then_branch": .graph], "operator If \"n0\": not supported"),
        ("Tanh", ["image"], [:], "operator Tanh \"n0\""),
        ("Erf", ["image"], [:], "operator Erf \"n0\": only as part of GELU"),
        ("Gelu", ["image"], ["approximate": .string("tanh")], "approximate=tanh"),
        ("Pad", ["image", "pads"], [:], "only padding in front of a convolution or pool"),
        ("Pad", ["image", "pads"], ["mode": .string("reflect")], "mode reflect"),
        ("Pad", ["image", "crop"], [:], "out of range"),
        ("Transpose", ["image"], ["perm": .integers([0, 1, 1, 2])], "perm"),
        ("Reshape", ["image", "mixed"], [:], "operator Reshape \"n0\": to [8, -1]"),
        ("Reshape", ["image", "grouped"], [:], "operator Reshape \"n0\": from [batch, 3, 4, 4] to [batch, 3, 2, 8]"),
        ("Flatten", ["image"], ["axis": .integer(2)], "axis 2"),
        ("ReduceMean", ["image"], ["axes": .integers([1])], "only means over height and width"),
        ("ReduceMean", ["image"], ["axes": .integers([2])], "only means over height and width"),
        ("ReduceMean", ["image"], ["axes": .integers([9])], "axis 9"),
        ("MaxPool", ["image"], ["kernel_shape": .integers([2])], "two-dimensional"),
        ("MaxPool", ["image"], ["kernel_shape": .integers([5, 5])], "larger than the padded image"),
        ("MaxPool", ["image"], ["kernel_shape": .integers([0, 2])], "out of range"),
        ("MaxPool", ["image"], ["kernel_shape": .integers([2, 2]), "strides": .integers([0, 1])], "out of range"),
        ("AveragePool", ["image"], ["kernel_shape": .float(2)], "wrong type"),
        ("Conv", ["image", "image"], [:], "must be a constant"),
        ("Conv", ["image", "w"], ["group": .integer(2)], "in 2 groups"),
        ("Conv", ["image", "w"], ["group": .integer(0)], "in 0 groups"),
        ("Conv", ["image", "w"], ["pads": .integers([-1, 0, 0, 0])], "out of range"),
        ("Conv", ["image", "w"], ["pads": .integers([0, 0])], "2 values, not 4"),
        ("Conv", ["image", "w"], ["dilations": .integers([1 << 40, 1])], "out of range"),
        ("Conv", ["image", "w"], ["auto_pad": .string("SAME")], "auto_pad SAME"),
        ("Conv", ["image"], [:], "input 1 is missing"),
        ("Add", ["image", "odd"], [:], "neither one number nor one a channel"),
        ("Div", ["one", "image"], [:], "a constant divided by the image"),
        ("Div", ["image", "image"], [:], "two values"),
        ("Sub", ["image"], [:], "has 1 inputs"),
        ("MatMul", ["image", "w"], [:], "not [batch, features]"),
        ("Gather", ["image", "pads"], ["axis": .integer(2)], "along another axis"),
        ("Gather", ["image", "far"], ["axis": .integer(1)], "a channel that is not there"),
        ("Concat", ["image", "image"], ["axis": .integer(2)], "along another axis"),
        ("Cast", ["image"], ["to": .integer(7)], "no float"),
        (
            "BatchNormalization", ["image", "scale", "scale", "scale", "scale"], ["training_mode": .integer(1)],
            "training mode"
        ),
        ("BatchNormalization", ["image", "odd", "scale", "scale", "scale"], [:], "not 3"),
        ("Relu", ["nowhere"], [:], "reads \"nowhere\""),
        ("Relu", ["features"], [:], "reads \"features\""),
    ]

    @Test(arguments: nodes.indices)
    func refuses(_ index: Int) throws {
        let (operation, inputs, attributes, reason) = Self.nodes[index]
        var file = ONNXFile()
        file.tensors = [
            .integers("pads", [0, 0, 1, 1, 0, 0, 1, 1]), .integers("crop", [0, 0, -1, 0, 0, 0, 0, 0]),
            .integers("mixed", [8, -1]), .integers("grouped", [0, 3, 2, -1]), .integers("far", [3]),
            .floats("w", [2, 3, 1, 1], [1, 2, 3, 4, 5, 6]), .floats("odd", [4], [1, 2, 3, 4]),
            .floats("scale", [3], [1, 2, 3]), .floats("one", [], [1]),
        ]
        file.node(operation, inputs, "x", attributes)
        if reason.contains("\"features\"") {
            file.nodes[0].outputs = ["features"]
        } else {
            file.node("Flatten", ["x"], "features")
        }
        let refusal = try #require(try file.refusal())
        #expect(refusal.contains(reason), "\(refusal)")
        #expect(refusal.contains("\(operation) \"n0\""), "\(refusal)")
    }

    @Test func refusesAnOperatorOfAnotherDomain() throws {
        var file = ONNXFile()
        file.node("FusedConv", ["image"], "features", domain: "com.microsoft")
        #expect(try file.refusal()?.contains("com.microsoft.FusedConv \"n0\"") == true)
    }

    @Test(arguments: [10, 22, 0, -1]) func refusesAnOpset(_ opset: Int64) throws {
        var file = ONNXFile.mean
        file.opset = opset
        #expect(try file.refusal()?.contains("opset \(opset) is not supported") == true)
    }

    @Test func refusesAnotherSizeThanTheFileFixes() throws {
        var file = ONNXFile.mean
        file.inputShape = [nil, 3, 5, 4]
        #expect(try file.refusal()?.contains("fixed to 5 for height, and the configuration says 4") == true)
        file.inputShape = [nil, 1, 4, 4]
        #expect(try file.refusal()?.contains("fixed to 1 for channels") == true)
        file.inputShape = [nil, 3, nil, nil]
        #expect(try file.refusal() == nil)
    }

    @Test func refusesArithmeticOnTheBatchSize() throws {
        var file = ONNXFile()
        file.tensors = [.integers("two", [2]), .integers("zero", [0]), .integers("rest", [-1])]
        file.node("Shape", ["image"], "s")
        file.node("Gather", ["s", "zero"], "n")
        file.node("Mul", ["n", "two"], "m")
        file.node("Concat", ["m", "rest"], "target", ["axis": .integer(0)])
        file.node("Reshape", ["image", "target"], "features")
        #expect(try file.refusal()?.contains("operator Mul \"n2\": computes with the batch size") == true)
    }

    @Test func takesAFixedBatchForTheBatch() throws {
        var file = ONNXFile()
        file.inputShape = [1, 3, 4, 4]
        file.tensors = [.integers("target", [1, -1])]
        file.node("Reshape", ["image", "target"], "features")
        #expect(try file.imported().graph.featureSize() == 48)
        file.inputShape = [nil, 3, 4, 4]
        #expect(try file.refusal()?.contains("mix images") == true)
    }

    @Test func refusesAnOutputThatIsNoVectorOfTheImage() throws {
        var file = ONNXFile.mean
        file.tensors = [.floats("c", [1, 2], [1, 2])]
        file.nodes = []
        file.node("Identity", ["c"], "features")
        #expect(try file.refusal()?.contains("does not depend on the image") == true)
        file.nodes = []
        #expect(try file.refusal() != nil)
    }

    @Test func namesTheInputsAndOutputsThatThereAre() throws {
        let file = try ONNXFile.mean.onDisk()
        #expect(throws: ModelError("\(file.path): no output \"pooled\"; the file has \"features\"")) {
            try GraphImporter.importEncoder(path: file.path, height: 4, width: 4, output: "pooled")
        }
        #expect(throws: ModelError("\(file.path): no input \"x\"; the file has \"image\"")) {
            try GraphImporter.importEncoder(path: file.path, height: 4, width: 4, input: "x")
        }
    }
}
