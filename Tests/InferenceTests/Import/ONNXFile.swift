import Foundation
import TestSupport

@testable import Inference

/// A small ONNX file under construction.
struct ONNXFile {
    enum Attribute {
        case integer(Int64)
        case integers([Int64])
        case float(Float)
        case string(String)
        case tensor(Tensor)
        case graph
    }

    struct Tensor {
        var name = ""
        var type: Int64 = 1
        var shape: [Int64]
        var raw: Data?
        var floats: [Float] = []
        var integers: [Int64] = []
        var external: [String: String] = [:]

        static func floats(_ name: String, _ shape: [Int64], _ values: [Float]) -> Tensor {
            Tensor(name: name, shape: shape, raw: values.withUnsafeBytes { Data($0) })
        }

        static func integers(_ name: String, _ values: [Int64]) -> Tensor {
            Tensor(name: name, type: 7, shape: [Int64(values.count)], integers: values)
        }

        func write(to writer: inout ProtobufWriter) {
            for size in shape { writer.integer(1, size) }
            writer.integer(2, type)
            if !floats.isEmpty {
                writer.bytes(4, floats.withUnsafeBytes { Data($0) })
            }
            if !integers.isEmpty {
                let packed = integers.reduce(Data()) { $0 + ProtobufWriter.varint(UInt64(bitPattern: $1)) }
                writer.bytes(type == 7 ? 7 : 5, packed)
            }
            writer.string(8, name)
            if let raw { writer.bytes(9, raw) }
            for (key, value) in external.sorted(by: { $0.key < $1.key }) {
                writer.message(13) {
                    $0.string(1, key)
                    $0.string(2, value)
                }
            }
            if !external.isEmpty { writer.integer(14, 1) }
        }
    }

    struct Node {
        var operation: String
        var inputs: [String]
        var outputs: [String]
        var attributes: [String: Attribute] = [:]
        var domain = ""
    }

    var opset: Int64 = 17
    var inputShape: [Int64?] = [nil, 3, 4, 4]
    var nodes: [Node] = []
    var tensors: [Tensor] = []
    var output = "features"

    /// `output = operation(inputs)`; nodes are named n0, n1…
    mutating func node(
        _ operation: String, _ inputs: [String], _ output: String, _ attributes: [String: Attribute] = [:],
        domain: String = ""
    ) {
        nodes.append(
            Node(operation: operation, inputs: inputs, outputs: [output], attributes: attributes, domain: domain))
    }

    /// A mean over the pixels: [batch, 3].
    static var mean: ONNXFile {
        var file = ONNXFile()
        file.node("ReduceMean", ["image"], "features", ["axes": .integers([2, 3]), "keepdims": .integer(0)])
        return file
    }

    /// A convolution, an activation function and a mean: [batch, 2].
    static var small: ONNXFile {
        var file = ONNXFile()
        file.tensors.append(.floats("w", [2, 3, 3, 3], (0..<54).map { Float($0 % 7) / 8 - 0.4 }))
        file.tensors.append(.floats("b", [2], [0.25, -0.5]))
        file.node("Conv", ["image", "w", "b"], "c", ["pads": .integers([1, 1, 1, 1])])
        file.node("Relu", ["c"], "r")
        file.node("ReduceMean", ["r"], "features", ["axes": .integers([2, 3]), "keepdims": .integer(0)])
        return file
    }

    var data: Data {
        var model = ProtobufWriter()
        model.integer(1, 8)
        model.message(8) {
            $0.string(1, "")
            $0.integer(2, opset)
        }
        model.message(7) { graph in
            for (index, node) in nodes.enumerated() {
                graph.message(1) { Self.write(node, "n\(index)", to: &$0) }
            }
            graph.string(2, "test")
            for tensor in tensors { graph.message(5) { tensor.write(to: &$0) } }
            graph.message(11) { Self.value("image", inputShape, to: &$0) }
            graph.message(12) { Self.value(output, [nil, nil], to: &$0) }
        }
        return model.data
    }

    private static func value(_ name: String, _ shape: [Int64?], to writer: inout ProtobufWriter) {
        writer.string(1, name)
        writer.message(2) {
            $0.message(1) {
                $0.integer(1, 1)
                $0.message(2) { list in
                    for size in shape {
                        list.message(1) { if let size { $0.integer(1, size) } else { $0.string(2, "n") } }
                    }
                }
            }
        }
    }

    private static func write(_ node: Node, _ name: String, to writer: inout ProtobufWriter) {
        for input in node.inputs { writer.string(1, input) }
        for output in node.outputs { writer.string(2, output) }
        writer.string(3, name)
        writer.string(4, node.operation)
        for (name, attribute) in node.attributes.sorted(by: { $0.key < $1.key }) {
            writer.message(5) {
                $0.string(1, name)
                switch attribute {
                case .float(let value):
                    $0.float(2, value)
                    $0.integer(20, 1)
                case .integer(let value):
                    $0.integer(3, value)
                    $0.integer(20, 2)
                case .string(let value):
                    $0.string(4, value)
                    $0.integer(20, 3)
                case .tensor(let tensor):
                    $0.message(5) { tensor.write(to: &$0) }
                    $0.integer(20, 4)
                case .graph:
                    $0.bytes(6, Data())
                    $0.integer(20, 5)
                case .integers(let values):
                    for value in values { $0.integer(8, value) }
                    $0.integer(20, 7)
                }
            }
        }
        if !node.domain.isEmpty { writer.string(7, node.domain) }
    }

    /// Imports the file from a folder of its own.
    func imported(
        height: Int = 4, width: Int = 4, in folder: TemporaryDirectory? = nil
    ) throws -> (graph: Graph, weights: [String: WeightTensor]) {
        let folder = try folder ?? TemporaryDirectory()
        let path = try folder.write("model.onnx", data).path
        return try withExtendedLifetime(folder) {
            try GraphImporter.importEncoder(path: path, height: height, width: width)
        }
    }

    /// What the import is refused with; nil where it succeeds.
    func refusal(height: Int = 4, width: Int = 4, in folder: TemporaryDirectory? = nil) throws -> String? {
        do {
            _ = try imported(height: height, width: width, in: folder)
            return nil
        } catch let error as ModelError {
            return error.message
        }
    }
}

/// A file in a folder that goes with the value.
struct FileOnDisk {
    let folder: TemporaryDirectory
    let path: String
}

extension ONNXFile {
    func onDisk() throws -> FileOnDisk {
        let folder = try TemporaryDirectory()
        return FileOnDisk(folder: folder, path: try folder.write("model.onnx", data).path)
    }
}
