import Inference

/// How long the decoder takes an image: beam 3, 20 steps, 512 units, random weights with which no caption ends early.
enum DecoderBenchmark {
    struct Row {
        var words: Int
        var batch: Int
        /// Of the fastest and of the median repetition.
        var fastest: Double
        var median: Double
    }

    /// - Returns: milliseconds an image on one core, alone and in a batch, for each size of vocabulary.
    static func run(repetitions: Int = 15) throws -> [Row] {
        var rows: [Row] = []
        for words in [2_538, 8_000] {
            let decoder = try makeDecoder(words: words)
            for batch in [1, 8] {
                let stepper = CaptionStepper(decoder: decoder, slots: batch)
                let options = CaptionOptions(beam: 3, maxWords: 20)
                var times: [Double] = []
                for repetition in 0...repetitions {
                    let start = ContinuousClock.now
                    for image in 0..<batch {
                        var random = Random(state: UInt64(repetition * batch + image))
                        _ = try stepper.admit(feature: random.floats(1280, scale: 2), options: options)
                    }
                    while !stepper.isEmpty {
                        stepper.step()
                        stepper.takeFinished { _, _ in }
                    }
                    times.append((ContinuousClock.now - start) / .milliseconds(1) / Double(batch))
                }
                // The first repetition warms the caches.
                let sorted = times.dropFirst().sorted()
                rows.append(
                    Row(words: words, batch: batch, fastest: sorted[0], median: sorted[sorted.count / 2]))
            }
        }
        return rows
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
