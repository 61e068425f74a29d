import Inference
import Kernels

/// Show and Tell over a batch, forward and backward side by side (Vinyals et al., "Show and Tell", CVPR 2015; back-propagation
/// through time).
///
/// Only the recurrent product is done step by step, by each thread for captions of its own through all steps. The products of the inputs are done once for each different word of the batch,
/// those of the vocabulary over the rows of all steps, and so are all gradients of weights. Memory grows to the largest batch seen;
/// after that nothing is allocated.
public final class DecoderPass {
    public struct Loss: Sendable, Equatable {
        /// Σ of the targets' losses, without their weights.
        public var sum = 0.0
        public var targets = 0

        public var mean: Double { sum / Double(max(targets, 1)) }

        public static func += (total: inout Loss, other: Loss) {
            total.sum += other.sum
            total.targets += other.targets
        }
    }

    /// Rows whose logits are in memory at a time: enough for a product at full rate, few enough for the cache.
    private static let logitRows = 512
    /// Captions, or rows of logits, that are worth a thread.
    private static let captionsOfThread = 16

    private let shape: DecoderShape
    private let isa: kaption_isa
    private let team: ThreadTeam
    private let product: MatrixProduct

    private let features = ScratchFloats()
    private let inputs = ScratchFloats()
    private let inputGates = ScratchFloats()
    private let gates = ScratchFloats()
    private let cells = ScratchFloats()
    private let hidden = ScratchFloats()
    private let before = ScratchFloats()
    private let outputs = ScratchFloats()
    private let logits = ScratchFloats()
    private let losses = ScratchFloats()
    private let hiddenGradient = ScratchFloats()
    private let cellGradient = ScratchFloats()
    private let bias = ScratchFloats()
    private let recurrent: PackedProduct
    private let recurrentBack: PackedProduct
    private var inputRows: [UnsafePointer<Float>?] = []

    /// - Parameter threads: to compute on, the caller's among them.
    public init(shape: DecoderShape, threads: Int, instructionSet: InstructionSet = .best) {
        self.shape = shape
        team = ThreadTeam(threads: threads)
        product = MatrixProduct(team: team)
        isa = instructionSet.isa
        recurrent = PackedProduct(outputs: shape.gates, inputs: shape.hidden, transposes: false, isa: isa)
        recurrentBack = PackedProduct(outputs: shape.hidden, inputs: shape.gates, transposes: true, isa: isa)
    }

    /// Computes the loss of a batch and its gradient by all weights.
    ///
    /// - Parameters:
    ///   - gradients: overwritten, but for the embedding's: the rows of the batch's words are added to.
    ///   - scale: what each target's loss, times its caption's weight, is multiplied by before it counts for the gradient.
    public func run(
        _ batch: CaptionBatch, features table: FeatureTable, weights: DecoderParameters,
        gradients: DecoderParameters, smoothing: Float, dropout: DropoutNoise?, scale: Float
    ) -> Loss {
        forward(batch, table, weights, dropout)
        let loss = predict(batch, weights, gradients, smoothing, dropout, scale)
        backward(batch, weights, gradients)
        propagateInputs(batch, weights, gradients, dropout)
        return loss
    }

    /// Sets the rows of the embedding's gradient to zero that a batch added to.
    public func clearEmbeddingGradients(_ gradients: DecoderParameters, of batch: CaptionBatch) {
        for word in batch.words {
            (gradients[.embedding] + Int(word) * shape.embedding).update(repeating: 0, count: shape.embedding)
        }
    }

    // MARK: Forward

    private func forward(
        _ batch: CaptionBatch, _ table: FeatureTable, _ weights: DecoderParameters, _ dropout: DropoutNoise?
    ) {
        let (embedding, hiddenSize, gateCount) = (shape.embedding, shape.hidden, shape.gates)
        let (words, captions) = (batch.words.count, batch.captions.count)
        let inputs = inputs.reserve((words + captions) * embedding)
        for (place, word) in batch.words.enumerated() {
            let row = inputs + place * embedding
            row.update(from: weights[.embedding] + Int(word) * embedding, count: embedding)
            drop(dropout, .words, row: Int(word), embedding, row)
        }
        let features = features.reserve(captions * shape.feature)
        let images = inputs + words * embedding
        for (place, caption) in batch.captions.enumerated() {
            (features + place * shape.feature).update(
                from: table.row(caption.image, copy: caption.copy), count: shape.feature)
            (images + place * embedding).update(from: weights[.imageBias], count: embedding)
        }
        product.multiply(
            captions, embedding, shape.feature, features, weights[.imageWeight], transposedB: true, accumulates: true,
            to: images)
        drop(dropout, .images, captions * embedding, images)

        let inputGates = inputGates.reserve((words + captions) * gateCount)
        product.multiply(
            words + captions, gateCount, embedding, inputs, weights[.inputWeight], transposedB: true, to: inputGates)
        let bias = bias.reserve(gateCount)
        bias.update(from: weights[.inputBias], count: gateCount)
        MatrixProduct.add(gateCount, weights[.recurrentBias], to: bias)

        let rows = batch.rowCount
        let gates = gates.reserve(rows * gateCount)
        let (cells, hidden) = (cells.reserve(rows * hiddenSize), hidden.reserve(rows * hiddenSize))
        inputRows.removeAll(keepingCapacity: true)
        for input in batch.inputs { inputRows.append(UnsafePointer(inputGates + input * gateCount)) }
        recurrent.pack(weights[.recurrentWeight])
        recurrentBack.pack(weights[.recurrentWeight])
        inputRows.withUnsafeBufferPointer { inputRows in
            guard let firstInput = inputRows.baseAddress else { return }
            team.split(batch.captions.count, grain: Self.captionsOfThread) { captions in
                for step in batch.rows.indices {
                    let going = captions.clamped(to: 0..<batch.rows[step])
                    guard !going.isEmpty else { break }
                    let row = batch.firsts[step] + going.lowerBound
                    let rowGates = gates + row * gateCount
                    let last = step == 0 ? nil : (batch.firsts[step - 1] + going.lowerBound) * hiddenSize
                    if let last {
                        recurrent.apply(rows: going.count, from: hidden + last, to: rowGates)
                    } else {
                        rowGates.update(repeating: 0, count: going.count * gateCount)
                    }
                    kaption_lstm_forward(
                        isa, going.count, hiddenSize, firstInput + row, bias, rowGates, last.map { cells + $0 },
                        cells + row * hiddenSize, hidden + row * hiddenSize)
                }
            }
        }
    }

    // MARK: Vocabulary

    /// Softmax, loss and gradient over the vocabulary. Leaves the gradient by the outputs in `outputs`.
    private func predict(
        _ batch: CaptionBatch, _ weights: DecoderParameters, _ gradients: DecoderParameters, _ smoothing: Float,
        _ dropout: DropoutNoise?, _ scale: Float
    ) -> Loss {
        let (hiddenSize, words, captions) = (shape.hidden, shape.words, batch.captions.count)
        let rows = batch.rowCount - captions
        let outputs = outputs.reserve(rows * hiddenSize)
        outputs.update(from: hidden.reserve(0) + captions * hiddenSize, count: rows * hiddenSize)
        drop(dropout, .outputs, rows * hiddenSize, outputs)
        let logits = logits.reserve(min(rows, Self.logitRows) * words)
        let losses = losses.reserve(min(rows, Self.logitRows))
        gradients[.outputBias].update(repeating: 0, count: words)
        var loss = Loss(sum: 0, targets: rows)
        for first in stride(from: 0, to: rows, by: Self.logitRows) {
            let count = min(Self.logitRows, rows - first)
            let chunk = outputs + first * hiddenSize
            product.multiply(
                count, words, hiddenSize, chunk, weights[.outputWeight], transposedB: true, to: logits)
            team.split(count, grain: Self.captionsOfThread) { part in
                for row in part {
                    losses[row] = kaption_softmax_loss(
                        isa, words, logits + row * words, weights[.outputBias], Int(batch.targets[first + row]),
                        smoothing, scale * batch.weights[first + row])
                }
            }
            for row in 0..<count { loss.sum += Double(losses[row]) }
            product.addColumnSums(rows: count, columns: words, logits, to: gradients[.outputBias])
            product.multiply(
                words, hiddenSize, count, logits, transposedA: true, chunk, accumulates: first > 0,
                to: gradients[.outputWeight])
            product.multiply(count, hiddenSize, words, logits, weights[.outputWeight], to: chunk)
        }
        drop(dropout, .outputs, rows * hiddenSize, outputs)
        return loss
    }

    // MARK: Backward

    /// Through time; leaves the gradient by the sums of the gates in `gates`.
    private func backward(_ batch: CaptionBatch, _ weights: DecoderParameters, _ gradients: DecoderParameters) {
        let (hiddenSize, gateCount, captions) = (shape.hidden, shape.gates, batch.captions.count)
        let rows = batch.rowCount
        let (gates, cells, hidden) = (gates.reserve(0), cells.reserve(0), hidden.reserve(0))
        let outputs = outputs.reserve(0)
        let hiddenGradient = hiddenGradient.reserve(captions * hiddenSize)
        let cellGradient = cellGradient.reserve(captions * hiddenSize)
        cellGradient.update(repeating: 0, count: captions * hiddenSize)
        hiddenGradient.update(repeating: 0, count: captions * hiddenSize)
        team.split(captions, grain: Self.captionsOfThread) { part in
            // Captions that end with a step have nothing from the next: their gradients are still zeros.
            for step in batch.rows.indices.reversed() {
                let going = part.clamped(to: 0..<batch.rows[step])
                guard !going.isEmpty else { continue }
                let row = batch.firsts[step] + going.lowerBound
                let gradient = hiddenGradient + going.lowerBound * hiddenSize
                if step > 0 {
                    MatrixProduct.add(
                        going.count * hiddenSize, outputs + (row - captions) * hiddenSize, to: gradient)
                }
                let last = step == 0 ? nil : (batch.firsts[step - 1] + going.lowerBound) * hiddenSize
                kaption_lstm_backward(
                    isa, going.count, hiddenSize, gates + row * gateCount, last.map { cells + $0 },
                    cells + row * hiddenSize, gradient, cellGradient + going.lowerBound * hiddenSize)
                if step > 0 { recurrentBack.apply(rows: going.count, from: gates + row * gateCount, to: gradient) }
            }
        }
        let before = before.reserve((rows - captions) * hiddenSize)
        for step in batch.rows.indices.dropFirst() {
            (before + (batch.firsts[step] - captions) * hiddenSize).update(
                from: hidden + batch.firsts[step - 1] * hiddenSize, count: batch.rows[step] * hiddenSize)
        }
        product.multiply(
            gateCount, hiddenSize, rows - captions, gates + captions * gateCount, transposedA: true, before,
            to: gradients[.recurrentWeight])
    }

    /// From the gates to the embeddings of words and images.
    private func propagateInputs(
        _ batch: CaptionBatch, _ weights: DecoderParameters, _ gradients: DecoderParameters, _ dropout: DropoutNoise?
    ) {
        let (embedding, gateCount) = (shape.embedding, shape.gates)
        let (words, captions) = (batch.words.count, batch.captions.count)
        let gates = gates.reserve(0)
        // The inputs' products are done with, so their place holds their gradients now.
        let inputGates = inputGates.reserve(0)
        inputGates.update(repeating: 0, count: (words + captions) * gateCount)
        team.split(gateCount, grain: 512) { part in
            for (row, input) in batch.inputs.enumerated() {
                MatrixProduct.add(
                    part.count, gates + row * gateCount + part.lowerBound,
                    to: inputGates + input * gateCount + part.lowerBound)
            }
        }
        gradients[.inputBias].update(repeating: 0, count: gateCount)
        product.addColumnSums(
            rows: words + captions, columns: gateCount, inputGates, to: gradients[.inputBias])
        gradients[.recurrentBias].update(from: gradients[.inputBias], count: gateCount)
        let inputs = inputs.reserve(0)
        product.multiply(
            gateCount, embedding, words + captions, inputGates, transposedA: true, inputs, to: gradients[.inputWeight])
        product.multiply(
            words + captions, embedding, gateCount, inputGates, weights[.inputWeight], to: inputs)

        for (place, word) in batch.words.enumerated() {
            drop(dropout, .words, row: Int(word), embedding, inputs + place * embedding)
            MatrixProduct.add(
                embedding, inputs + place * embedding, to: gradients[.embedding] + Int(word) * embedding)
        }
        let images = inputs + words * embedding
        drop(dropout, .images, captions * embedding, images)
        gradients[.imageBias].update(repeating: 0, count: embedding)
        product.addColumnSums(rows: captions, columns: embedding, images, to: gradients[.imageBias])
        product.multiply(
            embedding, shape.feature, captions, images, transposedA: true, features.reserve(0),
            to: gradients[.imageWeight])
    }

    private func drop(
        _ noise: DropoutNoise?, _ purpose: RandomStream.Purpose, row: Int = 0, _ count: Int,
        _ values: UnsafeMutablePointer<Float>
    ) {
        guard let noise, noise.share > 0 else { return }
        kaption_dropout(isa, count, noise.key(purpose, row: row), noise.share, values, values)
    }
}
