import Kernels

/// A stepper's numbers: the states of all live beams, one row a beam, and the products over them.
///
/// `gather` takes rows of the last step's states in a new order into this step's, `computeWords` moves those on by one word. Behind the
/// rows of beams there is one for each slot's image, which is where an image's first beam gathers from.
final class DecoderScratch {
    private let decoder: CaptionDecoder
    private let beamRows: Int
    private let stateStride: Int
    private let logitStride: Int
    // One row a slot.
    private let features: FloatBuffer
    private let embeddings: FloatBuffer
    private let imageGates: FloatBuffer
    // One row a beam; the states have a row a slot behind them.
    private var lastHidden: FloatBuffer
    private var lastCell: FloatBuffer
    private var hidden: FloatBuffer
    private var cell: FloatBuffer
    private let recurrentGates: FloatBuffer
    /// The words' gates, where the decoder's table of them is narrow.
    private let wordGates: FloatBuffer
    /// Of one block of words.
    private let logits: FloatBuffer
    private let narrow: NarrowRows
    /// Each row's contribution to the gates from its input.
    private let inputGates: UnsafeMutablePointer<UnsafePointer<Float>?>
    /// Each row's best words and the sum over all.
    private let scans: UnsafeMutablePointer<kaption_word_scan>
    /// Words that no caption has.
    private let excluded: [UInt32]

    init(decoder: CaptionDecoder, slots: Int) {
        let configuration = decoder.configuration
        func padded(_ count: Int) -> Int { (count + 15) / 16 * 16 }
        self.decoder = decoder
        beamRows = slots * CaptionOptions.beamRange.upperBound
        stateStride = padded(configuration.hiddenSize)
        logitStride = padded(decoder.output.blocks.map(\.count).max() ?? 0)
        features = FloatBuffer(count: slots * configuration.featureSize)
        embeddings = FloatBuffer(count: slots * configuration.embeddingSize)
        imageGates = FloatBuffer(count: slots * decoder.gateCount)
        let states = (beamRows + slots) * stateStride
        lastHidden = FloatBuffer(count: states)
        lastCell = FloatBuffer(count: states)
        hidden = FloatBuffer(count: states)
        cell = FloatBuffer(count: states)
        recurrentGates = FloatBuffer(count: beamRows * decoder.gateCount)
        wordGates = FloatBuffer(count: decoder.wordGates.isNarrow ? beamRows * decoder.gateCount : 0)
        logits = FloatBuffer(count: beamRows * logitStride)
        narrow = NarrowRows(rows: beamRows, inputs: configuration.hiddenSize)
        inputGates = .allocate(capacity: beamRows)
        inputGates.initialize(repeating: nil, count: beamRows)
        scans = .allocate(capacity: beamRows)
        scans.initialize(repeating: .init(), count: beamRows)
        let tokens = configuration.tokens
        excluded = [tokens.pad, tokens.start, tokens.unknown].map(UInt32.init)
    }

    deinit {
        inputGates.deallocate()
        scans.deallocate()
    }

    /// Sets the feature of the image in row `row` of those to be read next.
    func setFeature(_ values: UnsafeBufferPointer<Float>, row: Int) {
        guard let first = values.baseAddress else { return }
        (features.base + row * values.count).update(from: first, count: values.count)
    }

    /// The row of states that `readImages` leaves for the image in row `row`.
    func imageRow(_ row: Int) -> Int { beamRows + row }

    /// The LSTM's first step, from a state of zeros, with the images' embeddings as its input.
    func readImages(count: Int) {
        guard count > 0 else { return }
        let (feature, embedding) = (decoder.configuration.featureSize, decoder.configuration.embeddingSize)
        let gates = decoder.gateCount
        decoder.image.apply(
            rows: count, from: features.base, stride: feature, to: embeddings.base, stride: embedding)
        decoder.input.apply(rows: count, from: embeddings.base, stride: embedding, to: imageGates.base, stride: gates)
        for row in 0..<count { inputGates[row] = UnsafePointer(imageGates.base + row * gates) }
        let first = imageRow(0) * stateStride
        (lastCell.base + first).update(repeating: 0, count: count * stateStride)
        kaption_lstm_cell(
            decoder.isa, count, decoder.configuration.hiddenSize, inputGates, nil, 0, lastCell.base + first,
            lastHidden.base + first, stateStride)
    }

    /// Gives row `row` of this step the state that row `source` had after the last, and `word` as its input; `best` of its words are to
    /// be kept.
    func gather(row: Int, from source: Int, word: Int, best: Int) {
        let (to, from) = (row * stateStride, source * stateStride)
        (hidden.base + to).update(from: lastHidden.base + from, count: stateStride)
        (cell.base + to).update(from: lastCell.base + from, count: stateStride)
        let room = decoder.wordGates.isNarrow ? row * decoder.gateCount : 0
        inputGates[row] = decoder.wordGates.row(of: word, room: wordGates.base + room)
        kaption_word_scan_begin(best, scans + row)
    }

    /// One step of the LSTM and the output layer over rows `0..<rows`; their states become the last step's.
    func computeWords(rows: Int) {
        guard rows > 0 else { return }
        let gates = decoder.gateCount
        decoder.recurrent.apply(
            rows: rows, from: hidden.base, stride: stateStride, to: recurrentGates.base, stride: gates,
            narrow: narrow)
        kaption_lstm_cell(
            decoder.isa, rows, decoder.configuration.hiddenSize, inputGates, recurrentGates.base, gates, cell.base,
            hidden.base, stateStride)
        decoder.output.prepare(rows: rows, from: hidden.base, stride: stateStride, narrow: narrow)
        for (block, words) in decoder.output.blocks.enumerated() {
            decoder.output.apply(
                block: block, rows: rows, from: hidden.base, stride: stateStride, to: logits.base,
                stride: logitStride, narrow: narrow)
            kaption_scan_words(
                decoder.isa, rows, words.lowerBound, words.count, logits.base, logitStride, excluded, excluded.count,
                scans)
        }
        swap(&hidden, &lastHidden)
        swap(&cell, &lastCell)
    }

    /// Offers the words of row `row` to the list of its image's best continuations.
    ///
    /// - Parameters:
    ///   - beam: the row's number among its image's live beams, and `logProbability` what it has so far.
    ///   - best: `capacity` places, of which `kept` are taken.
    /// - Returns: the places now taken, or nil where the numbers are not finite.
    func offerWords(
        row: Int, beam: Int, logProbability: Float, to best: UnsafeMutablePointer<kaption_continuation>,
        capacity: Int, kept: Int
    ) -> Int? {
        guard kaption_word_scan_normaliser(scans + row).isFinite else { return nil }
        return kaption_keep_best(scans + row, logProbability, UInt32(beam), capacity, kept, best)
    }
}
