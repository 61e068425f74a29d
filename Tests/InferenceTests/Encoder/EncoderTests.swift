import Testing

@testable import Inference

/// The executor against a naive reference, on graphs of every operation.
@Suite struct EncoderTests {
    /// Runs one image through `builder`'s graph on every instruction set of the CPU.
    private func check(_ builder: inout GraphBuilder, tolerance: Double = 2e-5) throws {
        let image = builder.image()
        let expected = builder.reference.run(image)
        for instructionSet in InstructionSet.available {
            let encoder = try builder.encoder(instructionSet)
            let workspace = encoder.makeWorkspace(maximumBatch: 3)
            workspace.load(image, of: encoder)
            workspace.encode(row: 1)
            workspace.finish(rows: 2)
            let error = relativeError(workspace.feature(row: 1, of: encoder), expected)
            #expect(error < tolerance, "\(instructionSet): \(error)")
        }
    }

    static let activations: [Graph.Activation] = [
        .relu, .clip(minimum: 0, maximum: 6), .clip(minimum: -0.5, maximum: 0.25), .sigmoid,
        .hardSigmoid(alpha: 1 / 6, beta: 0.5), .hardSwish, .silu, .gelu,
    ]

    static let windows: [Graph.Window] = [
        .init(kernelHeight: 3, kernelWidth: 3, padTop: 1, padLeft: 1, padBottom: 1, padRight: 1),
        .init(kernelHeight: 3, kernelWidth: 3, strideHeight: 2, strideWidth: 2, padBottom: 1, padRight: 1),
        .init(
            kernelHeight: 5, kernelWidth: 5, strideHeight: 2, strideWidth: 2, padTop: 1, padLeft: 2, padBottom: 2,
            padRight: 2),
        .init(kernelHeight: 5, kernelWidth: 5, padTop: 2, padLeft: 2, padBottom: 2, padRight: 2),
        .init(kernelHeight: 1, kernelWidth: 7, padLeft: 3, padRight: 3),
        .init(kernelHeight: 7, kernelWidth: 1, strideHeight: 3, padTop: 2, padBottom: 3),
        .init(
            kernelHeight: 3, kernelWidth: 3, dilationHeight: 2, dilationWidth: 3, padTop: 2, padLeft: 3, padBottom: 2,
            padRight: 1),
        .init(kernelHeight: 1, kernelWidth: 1, strideHeight: 2, strideWidth: 2),
        .init(kernelHeight: 2, kernelWidth: 4, strideWidth: 3, padTop: 1, padRight: 2),
    ]

    @Test(arguments: windows) func convolutions(window: Graph.Window) throws {
        for (channels, filters, groups) in [
            (1, 5, 1), (3, 33, 1), (17, 48, 1), (64, 20, 1), (12, 24, 4), (40, 40, 40), (6, 12, 6),
        ] {
            var builder = GraphBuilder(height: 13, width: 11, channels: 3, seed: UInt64(channels))
            let stem = builder.pointwise(0, filters: channels)
            let value = builder.convolution(stem, filters: filters, window: window, groups: groups)
            builder.flatten(value)
            try check(&builder)
        }
    }

    @Test(arguments: activations) func activationsFusedAndAlone(activation: Graph.Activation) throws {
        var builder = GraphBuilder(height: 9, width: 7, channels: 3, seed: 5)
        let stem = builder.pointwise(0, filters: 21)
        let fused = builder.activation(builder.pointwise(stem, filters: 21), activation)
        let alone = builder.activation(stem, activation)
        let depthwise = builder.activation(
            builder.convolution(fused, filters: 21, window: Self.windows[0], groups: 21), activation)
        let sum = builder.activation(builder.add(depthwise, alone), activation)
        let product = builder.activation(builder.multiply(sum, fused), activation)
        let last = builder.activation(builder.dense(builder.flatten(product), features: 19), activation)
        _ = last
        try check(&builder)
    }

    @Test(arguments: windows.filter { $0.padTop < $0.kernelHeight && $0.padBottom < $0.kernelHeight })
    func pools(window: Graph.Window) throws {
        for overhang in [0, 1] {
            var builder = GraphBuilder(height: 12, width: 13, channels: 2, seed: 8)
            let stem = builder.pointwise(0, filters: 19)
            let probe = builder.convolution(stem, filters: 1, window: window)
            guard case .image(var height, var width, _) = builder.shape(probe) else { return }
            // With ceil_mode a last window may hang over the edge, if it begins in the image.
            let reach = (
                (window.kernelHeight - 1) * window.dilationHeight, (window.kernelWidth - 1) * window.dilationWidth
            )
            if overhang == 1 {
                let rest = 12 + window.padTop + window.padBottom - reach.0 - 1
                if rest % window.strideHeight != 0, height * window.strideHeight < 12 + window.padTop { height += 1 }
                let restWidth = 13 + window.padLeft + window.padRight - reach.1 - 1
                if restWidth % window.strideWidth != 0, width * window.strideWidth < 13 + window.padLeft { width += 1 }
            }
            let shape = Graph.Shape.image(height: height, width: width, channels: 19)
            let parts = [
                builder.node(.maxPool(window: window), [stem], shape),
                builder.node(.averagePool(window: window, countsPadding: true), [stem], shape),
                builder.node(.averagePool(window: window, countsPadding: false), [stem], shape),
            ]
            builder.flatten(builder.concatenate(parts))
            try check(&builder)
        }
    }

    @Test func invertedResidualsWithSqueezeAndExcitation() throws {
        var builder = GraphBuilder(height: 15, width: 15, channels: 3, seed: 11)
        var value = builder.activation(builder.convolution(0, filters: 24, window: Self.windows[1]), .silu)
        for _ in 0..<2 {
            var branch = builder.activation(builder.scaleShift(builder.pointwise(value, filters: 72)), .silu)
            branch = builder.activation(
                builder.convolution(branch, filters: 72, window: Self.windows[0], groups: 72), .silu)
            let pooled = builder.globalAveragePool(branch, flat: false)
            let squeezed = builder.activation(builder.pointwise(pooled, filters: 6), .relu)
            let gate = builder.activation(builder.pointwise(squeezed, filters: 72), .sigmoid)
            branch = builder.pointwise(builder.multiply(branch, gate), filters: 24)
            value = builder.add(branch, value)
        }
        builder.globalAveragePool(value)
        try check(&builder)
    }

    @Test func denseBlocksShareOneBuffer() throws {
        var builder = GraphBuilder(height: 8, width: 8, channels: 3, seed: 3)
        var parts = [builder.pointwise(0, filters: 10)]
        for _ in 0..<4 {
            let joined = builder.activation(builder.scaleShift(builder.concatenate(parts)), .relu)
            parts.append(builder.convolution(joined, filters: 7, window: Self.windows[0]))
        }
        builder.globalAveragePool(builder.concatenate(parts))
        try check(&builder)
    }

    @Test func concatenationsThatHaveToCopy() throws {
        var builder = GraphBuilder(height: 5, width: 6, channels: 3, seed: 4)
        let a = builder.pointwise(0, filters: 9)
        let b = builder.pointwise(0, filters: 18)
        // The input itself, one value twice, and a value that lies in another concatenation at another place.
        let first = builder.concatenate([a, 0, a])
        let second = builder.concatenate([b, a, first])
        let pooled = builder.globalAveragePool(second)
        builder.concatenate([pooled, builder.globalAveragePool(b), pooled])
        try check(&builder)
    }

    @Test func residualOfTheLaterBranchAndDownsampling() throws {
        var builder = GraphBuilder(height: 12, width: 10, channels: 3, seed: 6)
        let stem = builder.pointwise(0, filters: 16)
        let main = builder.convolution(stem, filters: 20, window: Self.windows[1])
        let skip = builder.convolution(stem, filters: 20, window: Self.windows[7])
        let sum = builder.activation(builder.add(main, skip), .relu)
        let twice = builder.add(sum, sum)
        builder.globalAveragePool(builder.add(twice, builder.globalAveragePool(sum, flat: false)))
        try check(&builder)
    }

    @Test func channelsOfTheInputAreGathered() throws {
        var builder = GraphBuilder(height: 4, width: 4, channels: 3, seed: 7)
        let swapped = builder.node(
            .gatherChannels(indices: [2, 0, 1, 1]), [0], .image(height: 4, width: 4, channels: 4))
        builder.dense(builder.flatten(builder.scaleShift(swapped)), features: 3)
        try check(&builder)
    }

    @Test func denseTailAfterTheCut() throws {
        var builder = GraphBuilder(height: 6, width: 5, channels: 3, seed: 9)
        let features = builder.flatten(builder.activation(builder.pointwise(0, filters: 11), .relu))
        let hidden = builder.activation(builder.dense(features, features: 50), .hardSwish)
        let other = builder.scaleShift(builder.dense(features, features: 50))
        builder.dense(builder.multiply(builder.add(hidden, other), hidden), features: 37)
        let encoder = try builder.encoder(.best)
        #expect(encoder.plan.plan.pointee.cut == 2)
        try check(&builder)
    }
}
