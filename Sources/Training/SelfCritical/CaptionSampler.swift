import Inference
import Kernels

/// Draws captions from a decoder, word by word from its whole distribution, or takes the most probable word each time. Images that
/// have ended leave the products.
final class CaptionSampler {
    struct Sample: Equatable {
        var words: [Int32] = []
        var ends = false
    }

    private static let captionsOfThread = 16

    private let shape: DecoderShape
    private let isa: kaption_isa
    private let team: ThreadTeam
    private let product: MatrixProduct
    private let recurrent: PackedProduct
    private let vocabulary: PackedProduct
    private let features = ScratchFloats()
    private let embeddings = ScratchFloats()
    private let imageGates = ScratchFloats()
    /// The input products of the words that were read since `prepare`, each at its word's place.
    private let wordGates = ScratchFloats()
    private var knowsGates: [Bool] = []
    private let newGates = ScratchFloats()
    private let bias = ScratchFloats()
    private let gates = ScratchFloats()
    private let logits = ScratchFloats()
    private let states = (0..<4).map { _ in ScratchFloats() }

    init(shape: DecoderShape, threads: Int, instructionSet: InstructionSet = .best) {
        self.shape = shape
        team = ThreadTeam(threads: threads)
        product = MatrixProduct(team: team)
        isa = instructionSet.isa
        recurrent = PackedProduct(outputs: shape.gates, inputs: shape.hidden, transposes: false, isa: isa)
        vocabulary = PackedProduct(outputs: shape.words, inputs: shape.hidden, transposes: false, isa: isa)
    }

    /// Prepares what all samples of one state of the weights share.
    func prepare(_ weights: DecoderParameters) {
        knowsGates = Array(repeating: false, count: shape.words)
        let bias = bias.reserve(shape.gates)
        bias.update(from: weights[.inputBias], count: shape.gates)
        MatrixProduct.add(shape.gates, weights[.recurrentBias], to: bias)
        recurrent.pack(weights[.recurrentWeight])
        vocabulary.pack(weights[.outputWeight])
    }

    /// Captions of images, `streams.count` ÷ `images.count` of each, those of an image side by side.
    ///
    /// - Parameters:
    ///   - streams: the random numbers of each caption; nil takes the most probable word.
    ///   - most: words of a caption at most, the end counted.
    /// - Precondition: `prepare` was called with these weights.
    func sample(
        _ images: [(image: Int, copy: Int)], streams: [RandomStream?], tokens: ModelManifest.Decoder.Tokens, most: Int,
        weights: DecoderParameters, table: FeatureTable
    ) -> [Sample] {
        let (hiddenSize, gateCount, each) = (shape.hidden, shape.gates, streams.count / max(images.count, 1))
        precondition(each * images.count == streams.count, "as many captions of each image")
        var samples = [Sample](repeating: Sample(), count: streams.count)
        var streams = streams
        let stateCount = streams.count * hiddenSize
        let (hidden, cell) = (states[0].reserve(stateCount), states[1].reserve(stateCount))
        let (next, nextCell) = (states[2].reserve(stateCount), states[3].reserve(stateCount))
        let gates = gates.reserve(streams.count * gateCount)
        let (bias, wordGates) = (bias.reserve(gateCount), wordGates.reserve(shape.words * gateCount))
        let logits = logits.reserve(streams.count * shape.words)

        let imageInputs = readImages(images, weights, table)
        gates.update(repeating: 0, count: images.count * gateCount)
        kaption_lstm_forward(isa, images.count, hiddenSize, imageInputs, bias, gates, nil, nextCell, next)
        for row in streams.indices {
            (hidden + row * hiddenSize).update(from: next + row / each * hiddenSize, count: hiddenSize)
            (cell + row * hiddenSize).update(from: nextCell + row / each * hiddenSize, count: hiddenSize)
        }
        // The captions that go on, in the order of their rows, and the word that each reads.
        var live = Array(streams.indices)
        var words = [Int32](repeating: Int32(tokens.start), count: streams.count)
        var chosen = [Int](repeating: 0, count: streams.count)
        for _ in 0..<most where !live.isEmpty {
            readWords(words, weights)
            let inputs = words.map { UnsafePointer(wordGates + Int($0) * gateCount) as UnsafePointer<Float>? }
            chosen.withUnsafeMutableBufferPointer { chosen in
                streams.withUnsafeMutableBufferPointer { streams in
                    team.split(live.count, grain: Self.captionsOfThread) { rows in
                        let first = rows.lowerBound
                        let (rowGates, rowNext) = (gates + first * gateCount, next + first * hiddenSize)
                        let rowLogits = logits + first * shape.words
                        recurrent.apply(rows: rows.count, from: hidden + first * hiddenSize, to: rowGates)
                        inputs.withUnsafeBufferPointer { inputs in
                            kaption_lstm_forward(
                                isa, rows.count, hiddenSize, inputs.baseAddress.map { $0 + first }, bias, rowGates,
                                cell + first * hiddenSize, nextCell + first * hiddenSize, rowNext)
                        }
                        vocabulary.apply(rows: rows.count, from: rowNext, to: rowLogits)
                        for row in rows {
                            chosen[row] = choose(
                                logits + row * shape.words, weights[.outputBias], &streams[live[row]])
                        }
                    }
                }
            }
            var going: [Int] = []
            words.removeAll(keepingCapacity: true)
            for (row, caption) in live.enumerated() {
                let word = chosen[row]
                if word == tokens.end {
                    samples[caption].ends = true
                    continue
                }
                samples[caption].words.append(Int32(word))
                (hidden + going.count * hiddenSize).update(from: next + row * hiddenSize, count: hiddenSize)
                (cell + going.count * hiddenSize).update(from: nextCell + row * hiddenSize, count: hiddenSize)
                going.append(caption)
                words.append(Int32(word))
            }
            live = going
        }
        return samples
    }

    /// Multiplies the words that are new by the input weights.
    private func readWords(_ words: [Int32], _ weights: DecoderParameters) {
        var new: [Int] = []
        for word in words where !knowsGates[Int(word)] {
            knowsGates[Int(word)] = true
            new.append(Int(word))
        }
        let embeddings = embeddings.reserve(new.count * shape.embedding)
        let newGates = newGates.reserve(new.count * shape.gates)
        for (row, word) in new.enumerated() {
            (embeddings + row * shape.embedding).update(
                from: weights[.embedding] + word * shape.embedding, count: shape.embedding)
        }
        product.multiply(
            new.count, shape.gates, shape.embedding, embeddings, weights[.inputWeight], transposedB: true, to: newGates)
        let wordGates = wordGates.reserve(0)
        for (row, word) in new.enumerated() {
            (wordGates + word * shape.gates).update(from: newGates + row * shape.gates, count: shape.gates)
        }
    }

    private func readImages(
        _ images: [(image: Int, copy: Int)], _ weights: DecoderParameters, _ table: FeatureTable
    ) -> [UnsafePointer<Float>?] {
        let features = features.reserve(images.count * shape.feature)
        let embeddings = embeddings.reserve(images.count * shape.embedding)
        let gates = imageGates.reserve(images.count * shape.gates)
        for (row, image) in images.enumerated() {
            (features + row * shape.feature).update(
                from: table.row(image.image, copy: image.copy), count: shape.feature)
            (embeddings + row * shape.embedding).update(from: weights[.imageBias], count: shape.embedding)
        }
        product.multiply(
            images.count, shape.embedding, shape.feature, features, weights[.imageWeight], transposedB: true,
            accumulates: true, to: embeddings)
        product.multiply(
            images.count, shape.gates, shape.embedding, embeddings, weights[.inputWeight], transposedB: true, to: gates)
        return images.indices.map { UnsafePointer(gates + $0 * shape.gates) }
    }

    /// The next word of a row of logits, which are overwritten.
    private func choose(
        _ logits: UnsafeMutablePointer<Float>, _ bias: UnsafePointer<Float>, _ stream: inout RandomStream?
    ) -> Int {
        // The gradient of the loss is the softmax, less 1 at the target.
        _ = kaption_softmax_loss(isa, shape.words, logits, bias, 0, 0, 1)
        logits[0] += 1
        guard stream != nil, let unit = stream?.unit() else {
            return (0..<shape.words).reduce(0) { logits[$1] > logits[$0] ? $1 : $0 }
        }
        var sum: Float = 0
        for word in 0..<shape.words {
            sum += logits[word]
            if unit < sum { return word }
        }
        return shape.words - 1
    }
}
