import Foundation
import TestSupport
import Testing

@testable import Inference

/// Files that are cut off, changed at random or made to hurt: an error, never a crash, never much memory.
struct HostileONNXTests {
    private func outcome(_ data: Data, in folder: TemporaryDirectory) throws -> Bool {
        let path = try folder.write("hostile.onnx", data).path
        do {
            _ = try GraphImporter.importEncoder(path: path, height: 4, width: 4)
            return true
        } catch {
            return false
        }
    }

    @Test func refusesAFileCutOffAnywhere() throws {
        let folder = try TemporaryDirectory()
        let whole = ONNXFile.small.data
        #expect(try outcome(whole, in: folder))
        for length in 0..<whole.count {
            let isWhole = try outcome(whole.prefix(length), in: folder)
            #expect(!isWhole, "cut off after \(length) of \(whole.count) bytes")
        }
    }

    @Test func survivesChangedBytes() throws {
        let folder = try TemporaryDirectory()
        var random = RandomNumbers(seed: 11)
        for original in [ONNXFile.small.data]
            + ["pad_dynamic", "reshape_where_expand", "split_channels", "slice_channels"].compactMap({
                OperatorCases.all.cases[$0]?.model
            })
        {
            for _ in 0..<400 {
                var data = original
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    let place = Int.random(in: 0..<data.count, using: &random)
                    data[place] = random.pick([0, 1, 0x7f, 0x80, 0xff, UInt8.random(in: 0...255, using: &random)])
                }
                _ = try outcome(data, in: folder)
            }
        }
    }

    @Test(
        arguments: [
            // A field with a length of 2^63, a varint of eleven bytes, a group, field number 0, one that ends in its
            // tag.
            [0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
            [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            [0x3b, 0x00], [0x00, 0x00], [0x3a], [0x09, 1, 2, 3], [0x0d, 1, 2],
        ] as [[UInt8]])
    func refusesDamagedFields(_ bytes: [UInt8]) throws {
        #expect(throws: ModelError.self) {
            let folder = try TemporaryDirectory()
            let path = try folder.write("damaged.onnx", Data(bytes)).path
            _ = try GraphImporter.importEncoder(path: path, height: 4, width: 4)
        }
    }

    @Test(arguments: [[-1, 3], [1 << 40, 1 << 40], [0, 1 << 62], [1 << 31, 2], [3, 3]] as [[Int64]])
    func refusesAShapeThatDoesNotFitItsData(_ shape: [Int64]) throws {
        var file = ONNXFile.mean
        file.tensors = [.floats("w", shape, [1, 2, 3])]
        #expect(try file.refusal()?.contains("\"w\"") == true)
    }

    @Test func refusesCycles() throws {
        var file = ONNXFile()
        file.node("Add", ["image", "b"], "a")
        file.node("Relu", ["a"], "b")
        file.node("Flatten", ["b"], "features")
        #expect(try file.refusal()?.contains("operator Add \"n0\": reads \"b\", which no node before it makes") == true)
        var twice = ONNXFile()
        twice.node("Relu", ["image"], "features")
        twice.node("Sigmoid", ["image"], "features")
        #expect(try twice.refusal()?.contains("two nodes make \"features\"") == true)
    }

    /// Constants that ask for memory: each a few bytes in the file.
    @Test(
        arguments: [
            ("ConstantOfShape", [1 << 40]), ("ConstantOfShape", [1 << 20, 1 << 20]),
            ("ConstantOfShape", [1 << 62, 0, 1 << 62]),
            ("ConstantOfShape", [-5]), ("Range", [0, 1 << 60, 1]), ("Range", [Int64.min, Int64.max, 1]),
            ("Expand", [1 << 30]),
        ] as [(String, [Int64])])
    func refusesHugeConstants(_ operation: String, _ values: [Int64]) throws {
        var file = ONNXFile.mean
        file.nodes = []
        if operation == "Range" {
            for (index, value) in values.enumerated() {
                file.tensors.append(ONNXFile.Tensor(name: "r\(index)", type: 7, shape: [], integers: [value]))
            }
            file.node("Range", ["r0", "r1", "r2"], "c")
        } else {
            file.tensors = [.integers("shape", values), .integers("one", [1])]
            file.node(operation, operation == "Expand" ? ["one", "shape"] : ["shape"], "c")
        }
        file.node("Reshape", ["image", "c"], "features")
        #expect(try file.refusal()?.contains("operator \(operation) \"n0\"") == true)
    }

    /// Doubling again and again.
    @Test func refusesConstantsThatGrow() throws {
        var file = ONNXFile()
        file.tensors = [.integers("c0", [1, 1, 1, 1])]
        for step in 0..<60 { file.node("Concat", ["c\(step)", "c\(step)"], "c\(step + 1)", ["axis": .integer(0)]) }
        file.node("Reshape", ["image", "c60"], "features")
        #expect(try file.refusal()?.contains("too many elements") == true)
    }

    /// By ONNX's broadcasting, every image with every other.
    @Test(arguments: ["Add", "Mul", "Sub"]) func refusesAxesThatDoNotLineUp(_ operation: String) throws {
        var file = ONNXFile()
        file.node("GlobalAveragePool", ["image"], "pixel")
        file.node("Flatten", ["pixel"], "vector")
        file.node(operation, ["pixel", "vector"], "features")
        #expect(try file.refusal()?.contains("operator \(operation) \"n2\": values whose axes do not line up") == true)
    }

    /// A billion channels of a value that is joined to itself, in a file of a few hundred kilobytes.
    @Test func refusesChannelsThatGrow() throws {
        var file = ONNXFile()
        file.node("Concat", [String](repeating: "image", count: 1 << 15), "wide", ["axis": .integer(1)])
        file.node("Concat", [String](repeating: "wide", count: 1 << 14), "features", ["axis": .integer(1)])
        #expect(try file.refusal()?.contains("operator Concat \"n1\": too many channels") == true)
    }

    @Test func refusesIntegersThatOverflow() throws {
        var file = ONNXFile()
        file.tensors = [.integers("big", [.max, .min]), .integers("one", [1, -1])]
        file.node("Div", ["big", "one"], "q")
        file.node("Reshape", ["image", "q"], "features")
        #expect(try file.refusal()?.contains("operator Div \"n0\": overflow") == true)
        file.tensors[1] = .integers("one", [0, 1])
        #expect(try file.refusal()?.contains("division by zero") == true)
    }

    @Test func refusesWhatIsNoFile() throws {
        let folder = try TemporaryDirectory()
        #expect(throws: ModelError.self) {
            try GraphImporter.importEncoder(path: folder.url.path, height: 4, width: 4)
        }
        #expect(throws: ModelError.self) {
            try GraphImporter.importEncoder(path: folder.url.path + "/none.onnx", height: 4, width: 4)
        }
        let fifo = folder.url.path + "/fifo.onnx"
        #expect(mkfifo(fifo, 0o600) == 0)
        #expect(throws: ModelError("\(fifo): not a regular file")) {
            try GraphImporter.importEncoder(path: fifo, height: 4, width: 4)
        }
    }
}
