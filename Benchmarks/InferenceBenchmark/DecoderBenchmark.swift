import Inference

/// How long the decoder takes an image: beam 3, 20 steps, 512 units, random weights with which no caption ends early.
enum DecoderBenchmark {
    struct Row {
        var words: Int
        var batch: Int
        /// Milliseconds an image.
        var timing: Timing
        /// Floating-point operations an image.
        var operations: Int
    }

    private static let options = CaptionOptions(beam: 3, maxWords: 20)

    /// One core, alone and in a batch, for each size of vocabulary.
    static func run() throws -> [Row] {
        var rows: [Row] = []
        for words in [2_538, 8_000] {
            let decoder = try makeDecoder(words: words)
            for batch in [1, 8] {
                var random = Random(state: 1)
                let features = random.floats(batch * decoder.configuration.featureSize, scale: 2)
                var (timing, _) = try time(decoder, features: features, batch: batch, seconds: 1)
                timing.fastest /= Double(batch)
                timing.median /= Double(batch)
                rows.append(Row(words: words, batch: batch, timing: timing, operations: operations(decoder)))
            }
        }
        return rows
    }

    /// The times of a whole batch, and its captions.
    static func time(
        _ decoder: CaptionDecoder, features: [Float], batch: Int, seconds: Double
    ) throws -> (Timing, captions: [String]) {
        let stepper = CaptionStepper(decoder: decoder, slots: batch)
        let size = decoder.configuration.featureSize
        var captions = [String](repeating: "", count: batch)
        let timing = try Timing(seconds: seconds) {
            try features.withUnsafeBufferPointer { features in
                guard let first = features.baseAddress else { return }
                for image in 0..<batch { _ = try stepper.admit(feature: first + image * size, options: options) }
            }
            while !stepper.isEmpty {
                stepper.step()
                stepper.takeFinished { slot, result in
                    if case .success(let candidates) = result { captions[slot] = candidates[0].caption }
                }
            }
        }
        return (timing, captions)
    }

    /// What the definition asks for, a multiply-add counting two: the image, the first word with one beam, all further ones
    /// with three. The gates' products with the embeddings, which our decoder looks up, count too.
    static func operations(_ decoder: CaptionDecoder) -> Int {
        let configuration = decoder.configuration
        let (embedding, hidden) = (configuration.embeddingSize, configuration.hiddenSize)
        let step = 4 * hidden * (embedding + hidden) + hidden * decoder.vocabulary.count
        let image = embedding * configuration.featureSize + 4 * hidden * embedding
        return 2 * (image + step * (1 + (options.maxWords - 1) * options.beam))
    }

    private static func makeDecoder(words: Int) throws -> CaptionDecoder {
        let configuration = DecoderConfiguration(featureSize: 1280, embeddingSize: 512, hiddenSize: 512)
        var random = Random(state: UInt64(words))
        let shapes = [
            "image.weight": [512, 1280], "image.bias": [512], "embedding.weight": [words, 512],
            "lstm.weight_ih_l0": [2048, 512], "lstm.weight_hh_l0": [2048, 512], "lstm.bias_ih_l0": [2048],
            "lstm.bias_hh_l0": [2048], "output.weight": [words, 512], "output.bias": [words],
        ]
        return try CaptionDecoder(
            configuration: configuration,
            weights: { name in
                guard let shape = shapes[name] else { throw ModelError("no tensor \(name)") }
                var values = random.floats(shape.reduce(1, *), scale: 0.05)
                if name == "output.bias" { values[configuration.tokens.end] = -60 }
                return WeightTensor(shape: shape, values: values)
            },
            vocabulary: (0..<words).map(String.init))
    }

    /// A linear congruential generator (Knuth's MMIX constants): plenty for weights that only take time.
    private struct Random {
        var state: UInt64

        mutating func floats(_ count: Int, scale: Float) -> [Float] {
            (0..<count).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return (Float(state >> 40) / Float(1 << 23) - 1) * scale
            }
        }
    }
}
