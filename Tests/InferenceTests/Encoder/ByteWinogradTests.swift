import Testing

@testable import Inference

/// 3×3 convolutions of bytes that go by Winograd's algorithm, as a plan places, packs and runs them: the bits of the plain kernels, which sum
/// directly.
@Suite struct ByteWinogradTests {
    private static let same = Graph.Window(
        kernelHeight: 3, kernelWidth: 3, padTop: 1, padLeft: 1, padBottom: 1, padRight: 1)

    /// A residual, which the sum takes the place of; a slice of a concatenation; one that a depthwise convolution follows by strips.
    private func network() -> GraphBuilder {
        var builder = GraphBuilder(height: 300, width: 211, channels: 3, seed: 11)
        let stem = builder.activation(
            builder.convolution(0, filters: 24, window: EncoderTests.windows[1]), .clip(minimum: 0, maximum: 6))
        let inner = builder.activation(builder.convolution(stem, filters: 24, window: Self.same), .relu)
        let sum = builder.activation(
            builder.add(builder.convolution(inner, filters: 24, window: Self.same), stem), .relu)
        let slice = builder.activation(builder.convolution(sum, filters: 20, window: Self.same), .silu)
        let joined = builder.concatenate([slice, builder.pointwise(sum, filters: 12)])
        let wide = builder.activation(builder.convolution(joined, filters: 56, window: Self.same), .relu)
        let deep = builder.activation(builder.convolution(wide, filters: 56, window: Self.same, groups: 56), .relu)
        _ = builder.globalAveragePool(builder.pointwise(deep, filters: 30))
        return builder
    }

    @Test func bitsAreThoseOfDirectSums() throws {
        var builder = network()
        let image = builder.image()
        let calibration = try EncoderCalibration(graph: builder.graph, weights: builder.tensor)
        calibration.workspace.load(image, of: calibration.encoder)
        #expect(calibration.observe())
        let quantisation = try calibration.quantisation(wide: [])
        let expected = try feature(of: builder, image, .plain, quantisation, inStrips: false)
        #expect(Set(expected).count > 20)
        for instructionSet in InstructionSet.available {
            for inStrips in [false, true] {
                let found = try feature(of: builder, image, instructionSet, quantisation, inStrips: inStrips)
                #expect(found == expected, "\(instructionSet), by strips: \(inStrips)")
            }
        }
    }

    private func feature(
        of builder: GraphBuilder, _ image: [Float], _ instructionSet: InstructionSet, _ quantisation: Quantisation,
        inStrips: Bool
    ) throws -> [Float] {
        let encoder = try Encoder(
            graph: builder.graph, weights: builder.tensor, instructionSet: instructionSet, precision: .int8,
            quantisation: quantisation, inStrips: inStrips)
        #expect(encoder.steps.contains { $0.description.contains(" + ") } == inStrips)
        let workspace = encoder.makeWorkspace(maximumBatch: 1)
        workspace.load(image, of: encoder)
        workspace.encode(row: 0)
        workspace.finish(rows: 1)
        return workspace.feature(row: 0, of: encoder)
    }
}
