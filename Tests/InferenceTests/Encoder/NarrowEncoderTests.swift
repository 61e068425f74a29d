import Testing

@testable import Inference

/// Encoders in int8 and bf16 against the same ones in fp32.
@Suite struct NarrowEncoderTests {
    private func features(_ encoder: Encoder, _ images: [[Float]], batch: Int) -> [[Float]] {
        let workspace = encoder.makeWorkspace(maximumBatch: batch)
        return stride(from: 0, to: images.count, by: batch).flatMap { first in
            let members = images[first..<min(first + batch, images.count)]
            for (row, image) in zip(0..., members) {
                workspace.load(image, of: encoder)
                workspace.encode(row: row)
            }
            workspace.finish(rows: members.count)
            return members.indices.map { workspace.feature(row: $0 - first, of: encoder) }
        }
    }

    private func calibrated(
        _ builder: GraphBuilder, _ images: [[Float]], wide: [Int] = [], floatSums: Bool = false
    ) throws -> Quantisation {
        let calibration = try EncoderCalibration(graph: builder.graph, weights: builder.tensor)
        for image in images {
            calibration.workspace.load(image, of: calibration.encoder)
            #expect(calibration.observe())
        }
        return try calibration.quantisation(wide: wide, floatSums: floatSums)
    }

    private func encoder(
        _ builder: GraphBuilder, _ precision: ModelManifest.Precision.Kind, _ quantisation: Quantisation?,
        _ instructionSet: InstructionSet = .best
    ) throws -> Encoder {
        try Encoder(
            graph: builder.graph, weights: builder.tensor, instructionSet: instructionSet, precision: precision,
            quantisation: quantisation)
    }

    /// Mean distance ÷ mean length.
    private func error(_ a: [[Float]], _ b: [[Float]]) -> Float {
        let distance = zip(a.joined(), b.joined()).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        return (distance / b.joined().reduce(0) { $0 + $1 * $1 }).squareRoot()
    }

    @Test(
        "Random graphs: close to fp32, the same bits alone and in company, int8 on every instruction set",
        arguments: 0..<40 as Range<UInt64>)
    func randomGraphs(seed: UInt64) throws {
        var builder = GraphBuilder(
            height: 9 + Int(seed % 5), width: 8 + Int(seed % 7), channels: 1 + Int(seed % 4), seed: seed)
        RandomGraphTests.grow(&builder)
        let images = (0..<8).map { _ in builder.image() }
        let exact = features(try encoder(builder, .fp32, nil), images, batch: 3)
        let quantisation = try calibrated(builder, images)
        for (precision, tolerance) in [(ModelManifest.Precision.Kind.bf16, Float(0.06)), (.int8, 0.4)] {
            let found = features(try encoder(builder, precision, quantisation), images, batch: 1)
            #expect(error(found, exact) < tolerance, "\(precision)")
            for instructionSet in InstructionSet.available {
                let again = features(try encoder(builder, precision, quantisation, instructionSet), images, batch: 5)
                if precision == .int8, quantisation.wide.isEmpty {
                    #expect(again == found, "\(instructionSet)")
                } else {
                    #expect(error(again, found) < tolerance, "\(instructionSet)")
                }
                let alone = features(try encoder(builder, precision, quantisation, instructionSet), images, batch: 1)
                #expect(again == alone, "\(instructionSet)")
            }
        }
    }

    /// A residual network of the usual kind, where 8 bits must come close.
    private func residualNetwork() -> GraphBuilder {
        var builder = GraphBuilder(height: 30, width: 26, channels: 3, seed: 5)
        let same = Graph.Window(kernelHeight: 3, kernelWidth: 3, padTop: 1, padLeft: 1, padBottom: 1, padRight: 1)
        var value = builder.activation(builder.convolution(0, filters: 24, window: same), .relu)
        for _ in 0..<3 {
            let wide = builder.activation(builder.pointwise(value, filters: 72), .clip(minimum: 0, maximum: 6))
            let deep = builder.activation(
                builder.convolution(wide, filters: 72, window: same, groups: 72), .clip(minimum: 0, maximum: 6))
            value = builder.add(builder.pointwise(deep, filters: 24), value)
        }
        builder.globalAveragePool(builder.activation(builder.pointwise(value, filters: 50), .relu))
        return builder
    }

    @Test func calibrationComesClose() throws {
        var builder = residualNetwork()
        let images = (0..<12).map { _ in builder.image() }
        let exact = features(try encoder(builder, .fp32, nil), images, batch: 4)
        var quantisation = try calibrated(builder, images)
        let found = error(features(try encoder(builder, .int8, quantisation), images, batch: 4), exact)
        #expect(found < 0.03)
        #expect(abs(Double(found) - quantisation.calibration.featureError) < 0.02)
        // Rounded weights without the corrected biases are further off.
        quantisation.corrections = [:]
        #expect(error(features(try encoder(builder, .int8, quantisation), images, batch: 4), exact) > found)
    }

    @Test func layersLeftInFloats() throws {
        var builder = residualNetwork()
        let images = (0..<6).map { _ in builder.image() }
        let exact = features(try encoder(builder, .fp32, nil), images, batch: 2)
        var quantisation = try calibrated(builder, images)
        let plain = error(features(try encoder(builder, .int8, quantisation), images, batch: 2), exact)
        for floatSums in [false, true] {
            quantisation.floatSums = floatSums
            quantisation.wide = []
            #expect(error(features(try encoder(builder, .int8, quantisation), images, batch: 2), exact) < 2 * plain)
            // All of them: fp32, to the bit.
            quantisation.wide = Array(1...builder.graph.nodes.count)
            #expect(features(try encoder(builder, .int8, quantisation), images, batch: 2) == exact)
        }
    }

    /// The layer of a convolution and of the activation that goes into it has two names.
    @Test func aLayerIsLeftInFloatsByAnyOfItsNodes() throws {
        var builder = residualNetwork()
        let images = (0..<4).map { _ in builder.image() }
        var quantisation = try calibrated(builder, images)
        quantisation.wide = []
        let narrow = features(try encoder(builder, .int8, quantisation), images, batch: 2)
        let pairs = builder.graph.nodes.enumerated().dropFirst().filter { index, node in
            if case .activation = node.operation { node.inputs == [index] } else { false }
        }
        #expect(!pairs.isEmpty)
        for (index, _) in pairs {
            quantisation.wide = [index + 1]
            let byActivation = features(try encoder(builder, .int8, quantisation), images, batch: 2)
            quantisation.wide = [index]
            #expect(features(try encoder(builder, .int8, quantisation), images, batch: 2) == byActivation)
            #expect(byActivation != narrow)
        }
    }

    @Test func whatIsLeftInFloatsInAnyCase() throws {
        var builder = residualNetwork()
        let images = (0..<4).map { _ in builder.image() }
        #expect(try !calibrated(builder, images).floatSums, "within the tolerance as it is")
        let calibration = try EncoderCalibration(graph: builder.graph, weights: builder.tensor)
        calibration.workspace.load(images[0], of: calibration.encoder)
        #expect(calibration.observe())
        let lax = try calibration.quantisation(wide: [], tolerance: 1)
        #expect(!lax.floatSums && lax.wide.isEmpty)
        // Within this one is only the encoder whose layers are all in floats.
        let strict = try calibration.quantisation(wide: Array(1...builder.graph.nodes.count), tolerance: 1e-9)
        #expect(strict.calibration.featureError < lax.calibration.featureError)
        let wider = try calibrated(builder, images, wide: [2], floatSums: true)
        #expect(wider.floatSums)
        #expect(wider.wide == [2])
    }

    @Test func whatDoesNotFitIsRefused() throws {
        var builder = residualNetwork()
        let good = try calibrated(builder, [builder.image()])
        #expect(throws: ModelError.self) { try encoder(builder, .int8, nil) }
        func refuses(_ change: (inout Quantisation) -> Void) {
            var bad = good
            change(&bad)
            #expect(throws: ModelError.self) { try encoder(builder, .int8, bad) }
        }
        refuses { $0.edges.removeLast(3) }
        refuses { $0.edges.append($0.edges[0]) }
        refuses { $0.edges[1].value = 10_000 }
        refuses { $0.edges[1].value = -1 }
        refuses { $0.edges[1].zeroPoint = 256 }
        for scale in [0, -1, .nan, .infinity, .leastNonzeroMagnitude, 3e38] as [Float] {
            refuses { $0.edges[1].scale = scale }
        }
        refuses { $0.wide = [-1] }
        refuses { quantisation in
            for name in quantisation.corrections.keys { quantisation.corrections[name] = [1] }
        }
        refuses { quantisation in
            for (name, values) in quantisation.corrections {
                quantisation.corrections[name] = values.map { _ in .infinity }
            }
        }
    }

    @Test func nothingIsKnownWithoutImages() throws {
        let builder = residualNetwork()
        let calibration = try EncoderCalibration(graph: builder.graph, weights: builder.tensor)
        #expect(throws: ModelError.self) { try calibration.quantisation(wide: []) }
    }
}
