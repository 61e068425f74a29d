import Testing

@testable import Inference

/// Graphs that must be refused with a `ModelError`, never a crash.
@Suite struct EncoderRejectionTests {
    private static let window = Graph.Window(
        kernelHeight: 3, kernelWidth: 3, padTop: 1, padLeft: 1, padBottom: 1, padRight: 1)

    private func builder() -> GraphBuilder {
        var builder = GraphBuilder(height: 8, width: 8, channels: 3, seed: 1)
        builder.globalAveragePool(builder.convolution(0, filters: 8, window: Self.window))
        return builder
    }

    private func expectRefusal(_ graph: Graph, _ weights: [String: WeightTensor]) {
        #expect(throws: ModelError.self) {
            try Encoder(
                graph: graph,
                weights: { name in
                    guard let tensor = weights[name] else { throw ModelError("no tensor \(name)") }
                    return tensor
                })
        }
    }

    @Test func theUnchangedGraphIsTaken() throws { _ = try builder().encoder(.best) }

    @Test func structure() {
        let good = builder()
        let changes: [(inout Graph) -> Void] = [
            { $0.nodes = [] },
            { $0.nodes[0].inputs = [1] },
            { $0.nodes[0].inputs = [-1] },
            { $0.nodes[0].inputs = [] },
            { $0.nodes[0].inputs = [0, 0] },
            { $0.nodes[1].inputs = [Int.max] },
            { $0.nodes[0].shape = .image(height: 9, width: 8, channels: 8) },
            { $0.nodes[0].shape = .image(height: Int.max, width: Int.max, channels: 8) },
            { $0.nodes[0].shape = .vector(Int.min) },
            { $0.nodes.removeLast() },
            { $0.input = .vector(192) },
            { $0.input = .image(height: 8, width: 8, channels: 0) },
            { $0.input = .image(height: 8, width: 8, channels: 5) },
            { $0.nodes[1].operation = .gatherChannels(indices: [8]) },
            {
                $0.nodes[1].operation = .concatenate
                $0.nodes[1].inputs = []
            },
            {
                $0.nodes[1].operation = .add
                $0.nodes[1].inputs = [1, 0]
            },
            { $0.nodes[1].operation = .activation(.clip(minimum: 1, maximum: 0)) },
        ]
        for change in changes {
            var graph = good.graph
            change(&graph)
            expectRefusal(graph, good.weights)
        }
    }

    @Test func windows() {
        let good = builder()
        let changes: [(inout Graph.Window) -> Void] = [
            { $0.strideHeight = 0 }, { $0.strideWidth = -1 }, { $0.dilationHeight = 0 }, { $0.padTop = -1 },
            { $0.kernelWidth = 5 }, { $0.kernelHeight = Int.max }, { $0.padLeft = Int.max },
            { $0.dilationWidth = Int.max },
            { $0.padBottom = 40 },
        ]
        for change in changes {
            var window = Self.window
            change(&window)
            var graph = good.graph
            guard case .convolution(let weight, let bias, _, let groups) = graph.nodes[0].operation else { return }
            graph.nodes[0].operation = .convolution(weight: weight, bias: bias, window: window, groups: groups)
            expectRefusal(graph, good.weights)
            graph.nodes[0].operation = .maxPool(window: window)
            expectRefusal(graph, good.weights)
        }
        for groups in [0, -1, 2, Int.max] {
            var graph = good.graph
            graph.nodes[0].operation = .convolution(weight: "w0", bias: "w1", window: Self.window, groups: groups)
            expectRefusal(graph, good.weights)
        }
    }

    @Test func weights() {
        let good = builder()
        for shape in [[8, 3, 3], [8, 3, 3, 4], [7, 3, 3, 3], [], [-8, 3, -3, 3]] {
            var weights = good.weights
            weights["w0"]?.shape = shape
            expectRefusal(good.graph, weights)
        }
        var short = good.weights
        short["w0"]?.values.removeLast()
        expectRefusal(good.graph, short)
        var longer = good.weights
        longer["w1"] = WeightTensor(shape: [9], values: Array(repeating: 0, count: 9))
        expectRefusal(good.graph, longer)
        expectRefusal(good.graph, ["w0": good.weights["w0"]!])
    }

    @Test func totals() {
        // A value of 1 GiB is still one value; a chain of joins of itself is not.
        var builder = GraphBuilder(height: 4096, width: 4096, channels: 4, seed: 1)
        var value = builder.concatenate([0, 0, 0, 0])
        for _ in 0..<4 { value = builder.concatenate([value, value]) }
        builder.globalAveragePool(value)
        expectRefusal(builder.graph, [:])
        // Work without end: a pool of nearly all pixels for each pixel.
        var pool = GraphBuilder(height: 4001, width: 4001, channels: 1, seed: 1)
        let window = Graph.Window(
            kernelHeight: 4001, kernelWidth: 4001, padTop: 2000, padLeft: 2000, padBottom: 2000, padRight: 2000)
        pool.globalAveragePool(pool.node(.maxPool(window: window), [0], pool.shape(0)))
        expectRefusal(pool.graph, [:])
    }
}
