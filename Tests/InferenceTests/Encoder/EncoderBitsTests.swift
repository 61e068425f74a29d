import Testing

@testable import Inference

/// One image gives one feature, to the bit: whatever the batch, the order, the neighbours and the thread.
@Suite struct EncoderBitsTests {
    /// Odd sizes, squeeze and excitation, and a dense tail after the cut.
    private func builder() -> GraphBuilder {
        var builder = GraphBuilder(height: 23, width: 19, channels: 3, seed: 21)
        var value = builder.activation(
            builder.convolution(0, filters: 13, window: EncoderTests.windows[1]), .hardSwish)
        let branch = builder.activation(
            builder.convolution(value, filters: 13, window: EncoderTests.windows[3], groups: 13), .silu)
        let gate = builder.activation(
            builder.pointwise(builder.globalAveragePool(branch, flat: false), filters: 13), .sigmoid)
        value = builder.pointwise(builder.multiply(branch, gate), filters: 211)
        let pooled = builder.globalAveragePool(builder.activation(value, .relu))
        let hidden = builder.activation(builder.dense(pooled, features: 307), .gelu)
        builder.dense(hidden, features: 101)
        return builder
    }

    @Test(arguments: InstructionSet.available) func batchAndOrderDoNotMatter(instructionSet: InstructionSet) throws {
        var builder = builder()
        let images = (0..<13).map { _ in builder.image() }
        let encoder = try builder.encoder(instructionSet)
        let alone = encoder.makeWorkspace(maximumBatch: 1)
        let expected = images.map { image in
            alone.load(image, of: encoder)
            alone.encode(row: 0)
            alone.finish(rows: 1)
            return alone.feature(row: 0, of: encoder)
        }
        #expect(Set(expected).count == images.count)
        for batch in [1, 2, 3, 5, 8, 13] {
            let workspace = encoder.makeWorkspace(maximumBatch: 13)
            let order = images.indices.shuffled(using: &builder.random)
            for start in stride(from: 0, to: order.count, by: batch) {
                let members = order[start..<min(start + batch, order.count)]
                // Rows are filled in any order, too.
                for (row, image) in Array(zip(0..., members)).shuffled(using: &builder.random) {
                    workspace.load(images[image], of: encoder)
                    workspace.encode(row: row)
                }
                workspace.finish(rows: members.count)
                for (row, image) in zip(0..., members) {
                    #expect(workspace.feature(row: row, of: encoder) == expected[image], "batch \(batch)")
                }
            }
        }
    }

    @Test func threadsShareAnEncoder() async throws {
        var builder = builder()
        let images = (0..<6).map { _ in builder.image() }
        let encoder = try builder.encoder(.best)
        let runs = await withTaskGroup(of: [[Float]].self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let workspace = encoder.makeWorkspace(maximumBatch: 6)
                    for (row, image) in images.enumerated() {
                        workspace.load(image, of: encoder)
                        workspace.encode(row: row)
                    }
                    workspace.finish(rows: images.count)
                    return images.indices.map { workspace.feature(row: $0, of: encoder) }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        for run in runs { #expect(run == runs[0]) }
    }
}
