import Testing

@testable import Inference

/// The executor against the naive reference on random graphs: branches that join, values read late, nodes that nobody reads,
/// nested concatenations, tails before and after the cut.
@Suite struct RandomGraphTests {
    @Test(arguments: 0..<60 as Range<UInt64>) func agreesWithTheReference(seed: UInt64) throws {
        var builder = GraphBuilder(
            height: 9 + Int(seed % 5), width: 8 + Int(seed % 7), channels: 1 + Int(seed % 4), seed: seed)
        Self.grow(&builder)
        let image = builder.image()
        let expected = builder.reference.run(image)
        for instructionSet in InstructionSet.available {
            let encoder = try builder.encoder(instructionSet)
            let workspace = encoder.makeWorkspace(maximumBatch: 2)
            // What an earlier image left in the memory must not matter.
            for row in [1, 0] {
                workspace.load(row == 1 ? builder.image() : image, of: encoder)
                workspace.encode(row: row)
            }
            workspace.finish(rows: 2)
            let error = relativeError(workspace.feature(row: 0, of: encoder), expected)
            #expect(error < 1e-4, "\(instructionSet): \(error) \(builder.graph.nodes.map(\.operation.name))")
        }
    }

    static func grow(_ builder: inout GraphBuilder) {
        var images = [0]
        for _ in 0..<Int.random(in: 6...16, using: &builder.random) {
            // Rather the latest values, so that there are chains to fuse.
            let value = Bool.random(using: &builder.random) ? images.last! : builder.random.pick(images)
            images.append(extend(&builder, value, images))
        }
        var vectors = (0..<3).map { _ in builder.globalAveragePool(builder.random.pick(images)) }
        vectors.append(builder.globalAveragePool(images.last!))
        let joined = builder.concatenate(vectors)
        let flat = builder.flatten(images.last!)
        let one = builder.activation(builder.dense(joined, features: 21), builder.random.pick(EncoderTests.activations))
        let other = builder.dense(flat, features: 21)
        let sum = Bool.random(using: &builder.random) ? builder.add(one, other) : builder.multiply(other, one)
        builder.concatenate([builder.scaleShift(sum), one])
    }

    /// Adds an operation on `value`, with others of `images` where it takes two.
    private static func extend(_ builder: inout GraphBuilder, _ value: Int, _ images: [Int]) -> Int {
        guard case .image(let height, let width, let channels) = builder.shape(value) else { return value }
        let peers = images.filter {
            guard case .image(height, width, _) = builder.shape($0) else { return false }
            return true
        }
        let fitting = EncoderTests.windows.filter { window in
            height + window.padTop + window.padBottom > (window.kernelHeight - 1) * window.dilationHeight
                && width + window.padLeft + window.padRight > (window.kernelWidth - 1) * window.dilationWidth
        }
        let window = builder.random.pick(fitting)
        switch Int.random(in: 0..<11, using: &builder.random) {
        case 0, 1:
            let groups = channels % 2 == 0 ? 2 : 1
            return builder.convolution(
                value, filters: builder.random.pick([4, 10, 34]), window: window, groups: groups)
        case 2: return builder.convolution(value, filters: channels, window: window, groups: channels)
        case 3: return builder.scaleShift(builder.pointwise(value, filters: channels))
        case 4: return builder.activation(value, builder.random.pick(EncoderTests.activations))
        case 5: return builder.scaleShift(value)
        case 6: return builder.add(builder.pointwise(builder.random.pick(peers), filters: channels), value)
        case 7: return builder.add(value, builder.pointwise(value, filters: channels))
        case 8:
            let pooled = builder.globalAveragePool(value, flat: Bool.random(using: &builder.random))
            let gate = builder.activation(pooled, .sigmoid)
            return builder.multiply(value, gate)
        case 9:
            let parts = (0..<3).map { _ in builder.random.pick(peers) }
            guard parts.map({ builder.shape($0).channels }).reduce(0, +) < 120 else { return value }
            return builder.concatenate([value] + parts)
        default:
            let indices = (0..<max(1, channels - 1)).map { $0 * 5 % channels }
            return builder.node(
                .gatherChannels(indices: indices), [value], builder.shape(value).withChannels(indices.count))
        }
    }
}
