import Testing

@testable import Inference

/// Inverted residual blocks that run by strips of rows: the same bits as layer by layer.
@Suite struct StripTests {
    /// A stem and two blocks, one with a residual. `keepsWhole` adds readers of what lies between the layers, so that nothing can run by
    /// strips; they come after the features that are compared.
    private func builder(height: Int, width: Int, window: Graph.Window, keepsWhole: Bool) -> GraphBuilder {
        var builder = GraphBuilder(height: height, width: width, channels: 3, seed: 5)
        var between: [Int] = []
        func watched(_ value: Int) -> Int {
            between.append(value)
            return value
        }
        let stem = watched(
            builder.activation(
                builder.convolution(0, filters: 24, window: EncoderTests.windows[1]), .clip(minimum: 0, maximum: 6)))
        let narrow = builder.pointwise(
            watched(builder.activation(builder.convolution(stem, filters: 24, window: window, groups: 24), .silu)),
            filters: 17)
        let wide = watched(builder.activation(builder.pointwise(narrow, filters: 101), .relu))
        let same = Graph.Window(
            kernelHeight: 3, kernelWidth: 3, padTop: 1, padLeft: 1, padBottom: 1, padRight: 1)
        let deep = watched(
            builder.activation(builder.convolution(wide, filters: 101, window: same, groups: 101), .relu))
        let sum = builder.add(builder.pointwise(deep, filters: 17), narrow)
        var feature = builder.globalAveragePool(sum)
        if keepsWhole { feature = builder.concatenate([feature] + between.map { builder.globalAveragePool($0) }) }
        _ = feature
        return builder
    }

    private static let windows = [
        Graph.Window(kernelHeight: 3, kernelWidth: 3, padTop: 1, padLeft: 1, padBottom: 1, padRight: 1),
        Graph.Window(
            kernelHeight: 5, kernelWidth: 5, strideHeight: 2, strideWidth: 2, padTop: 1, padLeft: 2, padBottom: 2,
            padRight: 1),
        Graph.Window(kernelHeight: 2, kernelWidth: 3, strideHeight: 3, strideWidth: 1, dilationHeight: 2, padRight: 1),
    ]

    @Test(arguments: windows.indices) func bitsAreThoseOfWholeLayers(index: Int) throws {
        for (height, width) in [(301, 203), (160, 399)] {
            var strips = builder(height: height, width: width, window: Self.windows[index], keepsWhole: false)
            let whole = builder(height: height, width: width, window: Self.windows[index], keepsWhole: true)
            let image = strips.image()
            let expected = try feature(of: whole, image, .best)
            let (encoder, result) = try feature(of: strips, image, .best)
            #expect(groups(of: encoder) == 2)
            #expect(groups(of: expected.0) == 0)
            #expect(result == Array(expected.1.prefix(result.count)))
            let isFinite = result.allSatisfy { $0.isFinite }
            #expect(isFinite)
        }
    }

    @Test(arguments: windows.indices, [ModelManifest.Precision.Kind.bf16, .int8])
    func narrowBitsAreThoseOfWholeLayers(index: Int, precision: ModelManifest.Precision.Kind) throws {
        var builder = builder(height: 401, width: 307, window: Self.windows[index], keepsWhole: false)
        let image = builder.image()
        let calibration = try EncoderCalibration(graph: builder.graph, weights: builder.tensor)
        calibration.workspace.load(image, of: calibration.encoder)
        #expect(calibration.observe())
        var quantisation = try calibration.quantisation(wide: [])
        // Narrow from the first layer on, and with the first layers and the sums in floats.
        for wide in [[], quantisation.edges.prefix(4).map(\.value)] {
            quantisation.wide = wide
            quantisation.floatSums = !wide.isEmpty
            // The plain one is slow, so that it has one of the windows.
            for instructionSet in InstructionSet.available where instructionSet != .plain || index == 0 {
                let encoders = try [false, true].map {
                    try Encoder(
                        graph: builder.graph, weights: builder.tensor, instructionSet: instructionSet,
                        precision: precision, quantisation: quantisation, inStrips: $0)
                }
                #expect(groups(of: encoders[0]) == 0)
                #expect(groups(of: encoders[1]) > 0)
                #expect(feature(of: encoders[1], image) == feature(of: encoders[0], image), "\(instructionSet)")
            }
        }
    }

    /// Factors of channels and the projection after them.
    @Test func factorsByStrips() throws {
        for (height, width, filters) in [(121, 130, 17), (98, 161, 64)] {
            var builder = GraphBuilder(height: height, width: width, channels: 3, seed: 6)
            let wide = builder.activation(builder.convolution(0, filters: 40, window: Self.windows[0]), .silu)
            let pooled = builder.globalAveragePool(wide, flat: false)
            let factors = builder.activation(builder.pointwise(pooled, filters: 40), .sigmoid)
            let narrow = builder.pointwise(builder.multiply(wide, factors), filters: filters)
            _ = builder.globalAveragePool(builder.activation(narrow, .relu))
            try expectWholeBits(&builder, groups: 1)
        }
    }

    /// A residual block's sum and the next one's reduction, where the sum is read again by the next sum and by nobody else.
    @Test func sumsByStrips() throws {
        for (height, width, filters) in [(121, 130, 40), (98, 161, 72)] {
            var builder = GraphBuilder(height: height, width: width, channels: 3, seed: 7)
            var sum = builder.activation(builder.convolution(0, filters: filters, window: Self.windows[0]), .relu)
            for _ in 0..<3 {
                let reduced = builder.activation(builder.pointwise(sum, filters: 19), .relu)
                sum = builder.activation(builder.add(builder.pointwise(reduced, filters: filters), sum), .relu)
            }
            _ = builder.globalAveragePool(sum)
            try expectWholeBits(&builder, groups: 2)
        }
    }

    /// In floats, by strips and not.
    private func expectWholeBits(_ builder: inout GraphBuilder, groups count: Int) throws {
        let image = builder.image()
        for instructionSet in InstructionSet.available {
            let encoders = try [false, true].map {
                try Encoder(
                    graph: builder.graph, weights: builder.tensor, instructionSet: instructionSet,
                    precision: .fp32, quantisation: nil, inStrips: $0)
            }
            #expect(groups(of: encoders[0]) == 0)
            #expect(groups(of: encoders[1]) == count)
            #expect(feature(of: encoders[1], image) == feature(of: encoders[0], image), "\(instructionSet)")
        }
    }

    private func groups(of encoder: Encoder) -> Int {
        encoder.steps.filter { $0.description.contains(" + ") }.count
    }

    private func feature(
        of builder: GraphBuilder, _ image: [Float], _ instructionSet: InstructionSet
    ) throws -> (Encoder, [Float]) {
        let encoder = try builder.encoder(instructionSet)
        return (encoder, feature(of: encoder, image))
    }

    private func feature(of encoder: Encoder, _ image: [Float]) -> [Float] {
        let workspace = encoder.makeWorkspace(maximumBatch: 1)
        workspace.load(image, of: encoder)
        workspace.encode(row: 0)
        workspace.finish(rows: 1)
        return workspace.feature(row: 0, of: encoder)
    }
}
