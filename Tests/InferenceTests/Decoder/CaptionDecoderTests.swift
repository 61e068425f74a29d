import Inference
import Testing

@Suite("Caption decoder: what does not fit together is refused")
struct CaptionDecoderTests {
    private let model = RandomDecoder(seed: 1, feature: 6, embedding: 4, hidden: 5, words: 12)

    @Test func acceptsWhatFits() throws {
        #expect(throws: Never.self) { try model.make() }
    }

    @Test(arguments: [
        "image.weight", "image.bias", "embedding.weight", "lstm.weight_ih_l0", "lstm.weight_hh_l0", "lstm.bias_ih_l0",
        "lstm.bias_hh_l0", "output.weight", "output.bias",
    ])
    func refusesATensorOfAnotherShape(name: String) throws {
        let original = try model.weights(name)
        let transposed = Array(original.shape.reversed()) + (original.shape.count == 1 ? [1] : [])
        for shape in [transposed, [], original.shape.map { $0 + 1 }] {
            var changed = model
            changed.tensors[name] = WeightTensor(shape: shape, values: original.values)
            let error = #expect(throws: ModelError.self) { try changed.make() }
            #expect(error?.message.contains(name) == true)
        }
        var short = model
        short.tensors[name] = WeightTensor(shape: original.shape, values: Array(original.values.dropLast()))
        #expect(throws: ModelError.self) { try short.make() }
        var missing = model
        missing.tensors[name] = nil
        #expect(throws: ModelError.self) { try missing.make() }
    }

    @Test func refusesNumbersThatMakeNoDecoder() throws {
        let changes: [(inout DecoderConfiguration) -> Void] = [
            { $0.featureSize = 0 }, { $0.embeddingSize = -4 }, { $0.hiddenSize = .max },
            { $0.tokens.end = 12 }, { $0.tokens.pad = -1 }, { $0.tokens.start = $0.tokens.end },
            { $0.lengthExponent = .nan }, { $0.lengthExponent = -1 },
        ]
        for change in changes {
            var changed = model
            change(&changed.configuration)
            #expect(throws: ModelError.self) { try changed.make() }
        }
        var wordless = model
        wordless.vocabulary = []
        #expect(throws: ModelError.self) { try wordless.make() }
    }
}
