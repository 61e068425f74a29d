import Foundation
import Testing

@testable import Inference

struct GraphCodingTests {
    @Test func keepsEveryOperation() throws {
        let window = Graph.Window(
            kernelHeight: 3, kernelWidth: 5, strideHeight: 2, strideWidth: 1, dilationHeight: 1, dilationWidth: 2,
            padTop: 0,
            padLeft: 1, padBottom: 2, padRight: 3)
        let operations: [Graph.Operation] = [
            .convolution(weight: "w", bias: "b", window: window, groups: 4),
            .convolution(weight: "w", bias: nil, window: Graph.Window(kernelHeight: 1, kernelWidth: 1), groups: 1),
            .dense(weight: "w", bias: nil), .dense(weight: "w", bias: "b"), .add, .multiply,
            .scaleShift(scale: "s", shift: "t"),
            .activation(.relu), .activation(.clip(minimum: 0.1, maximum: .greatestFiniteMagnitude)),
            .activation(.sigmoid),
            .activation(.hardSigmoid(alpha: 1 / 6, beta: 0.5)), .activation(.hardSwish), .activation(.silu),
            .activation(.gelu),
            .maxPool(window: window), .averagePool(window: window, countsPadding: true),
            .averagePool(window: window, countsPadding: false), .globalAveragePool, .concatenate,
            .gatherChannels(indices: [2, 0]), .flatten,
        ]
        let nodes = operations.enumerated().map { index, operation in
            Graph.Node(
                name: "n\(index)", operation: operation, inputs: [0, index],
                shape: index % 2 == 0 ? .vector(7) : .image(height: 1, width: 2, channels: 3))
        }
        let graph = Graph(input: .image(height: 4, width: 5, channels: 3), nodes: nodes)
        #expect(try JSONDecoder().decode(Graph.self, from: JSONEncoder().encode(graph)) == graph)
    }

    /// The form is a contract: bundles that exist must stay readable.
    @Test func readsTheDocumentedForm() throws {
        let text = """
            {"input": [224, 224, 3],
             "nodes": [
               {"name": "stem", "operation": "convolution", "inputs": [0], "shape": [112, 112, 32], "weight": "encoder.0.weight",
                "bias": "encoder.0.bias", "kernel": [3, 3], "stride": [2, 2], "padding": [0, 0, 1, 1]},
               {"name": "relu6", "operation": "clip", "inputs": [1], "shape": [112, 112, 32], "minimum": 0, "maximum": 6}]}
            """
        let graph = try JSONDecoder().decode(Graph.self, from: Data(text.utf8))
        #expect(graph.input == .image(height: 224, width: 224, channels: 3))
        let window = Graph.Window(
            kernelHeight: 3, kernelWidth: 3, strideHeight: 2, strideWidth: 2, padBottom: 1, padRight: 1)
        #expect(
            graph.nodes[0].operation
                == .convolution(weight: "encoder.0.weight", bias: "encoder.0.bias", window: window, groups: 1))
        #expect(graph.nodes[1].operation == .activation(.clip(minimum: 0, maximum: 6)))
        try graph.validate { ["encoder.0.weight": [32, 3, 3, 3], "encoder.0.bias": [32]][$0] }
    }
}
