import Testing

@testable import Inference

/// Which layers of an encoder in bfloat16 are left in floats, and what that makes of it.
@Suite struct FloatLayersTests {
    private static let same = Graph.Window(
        kernelHeight: 3, kernelWidth: 3, padTop: 1, padLeft: 1, padBottom: 1, padRight: 1)
    private static let halving = Graph.Window(kernelHeight: 2, kernelWidth: 2, strideHeight: 2, strideWidth: 2)

    /// An image, two 3×3 convolutions over enough pixels for Winograd's algorithm, between them a pool and a scale, a 1×1 and a 3×3 over too few pixels.
    private func network() -> GraphBuilder {
        var builder = GraphBuilder(height: 80, width: 80, channels: 3, seed: 7)
        let first = builder.convolution(0, filters: 48, window: Self.same)
        let wide = builder.convolution(first, filters: 48, window: Self.same)
        let pooled = builder.node(.maxPool(window: Self.halving), [wide], .image(height: 40, width: 40, channels: 48))
        let active = builder.activation(builder.scaleShift(pooled), .relu)
        let deep = builder.convolution(active, filters: 48, window: Self.same)
        let small = builder.node(.maxPool(window: Self.quartering), [deep], .image(height: 10, width: 10, channels: 48))
        let narrow = builder.convolution(builder.pointwise(small, filters: 48), filters: 48, window: Self.same)
        _ = builder.globalAveragePool(narrow)
        return builder
    }
    private static let quartering = Graph.Window(kernelHeight: 4, kernelWidth: 4, strideHeight: 4, strideWidth: 4)

    private func chosen(_ instructionSet: InstructionSet) -> [Int] {
        let graph = network().graph
        return FloatLayers(LayerFusion(graph).layers, graph: graph, instructionSet: instructionSet).indices.sorted()
    }

    @Test func dependsOnTheInstructionSet() {
        let all = Array(LayerFusion(network().graph).layers.indices)
        #expect(chosen(.plain) == all)
        #expect(chosen(.avx2) == all)
        #expect(chosen(.avx512) == all)
        #expect(chosen(.avx512vnni) == [1, 2, 3, 4], "two convolutions and what is between them")
        #expect(chosen(.amx) == [])
    }

    @Test(
        "Without instructions for bfloat16 an encoder has the bits of fp32; with them it comes close",
        arguments: InstructionSet.available)
    func features(instructionSet: InstructionSet) throws {
        var builder = network()
        let image = builder.image()
        func feature(_ precision: ModelManifest.Precision.Kind) throws -> [Float] {
            let encoder = try Encoder(
                graph: builder.graph, weights: builder.tensor, instructionSet: instructionSet, precision: precision,
                quantisation: nil)
            let workspace = encoder.makeWorkspace(maximumBatch: 1)
            workspace.load(image, of: encoder)
            workspace.encode(row: 0)
            workspace.finish(rows: 1)
            return workspace.feature(row: 0, of: encoder)
        }
        let (exact, found) = (try feature(.fp32), try feature(.bf16))
        if [.plain, .avx2, .avx512].contains(instructionSet) {
            #expect(found == exact)
        } else {
            #expect(found != exact)
            let distance = zip(found, exact).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            #expect(distance < 4e-4 * exact.reduce(0) { $0 + $1 * $1 })
        }
    }
}
