import COpenBLAS
import Kernels

/// What each word, as the LSTM's input, contributes to its gates: W_ih·embedding + b_ih + b_hh.
///
/// That depends on the word alone, so it is computed for all words at load and a step reads one row of this table instead of doing a
/// product. The table takes 16·hidden bytes a word in floats (66 MB for 8,000 words and 512 units, 21 MB for 2,538) in place of the
/// embedding's 4·embedding, never more than four times the output layer; for that a step does a sixth (8,000 words) to a quarter
/// (2,538) less arithmetic and streams 4·hidden·embedding weights less. For narrow products it is kept in bfloat16, in half the memory.
struct WordGates: Sendable {
    /// Floats of a word.
    let count: Int
    let isNarrow: Bool
    /// In bfloat16, two to a float, if narrow.
    private let table: FloatBuffer

    /// Words whose gates are computed together before they are narrowed.
    private static let block = 256

    /// - Parameters:
    ///   - embedding: `[words, inputs]`.
    ///   - weight: `[count, inputs]`.
    ///   - bias: `[count]`, all that is added.
    init(embedding: WeightTensor, weight: WeightTensor, bias: [Float], isa: kaption_isa, isNarrow: Bool) {
        let (words, inputs, count) = (embedding.shape[0], embedding.shape[1], bias.count)
        self.count = count
        self.isNarrow = isNarrow
        openblas_set_num_threads(1)
        func compute(_ words: Range<Int>, to gates: UnsafeMutablePointer<Float>) {
            for word in 0..<words.count { (gates + word * count).update(from: bias, count: count) }
            embedding.values.withUnsafeBufferPointer { values in
                guard let first = values.baseAddress else { return }
                cblas_sgemm(
                    CblasRowMajor, CblasNoTrans, CblasTrans, Int32(words.count), Int32(count), Int32(inputs), 1,
                    first + words.lowerBound * inputs, Int32(inputs), weight.values, Int32(inputs), 1, gates,
                    Int32(count))
            }
        }
        guard isNarrow else {
            table = FloatBuffer(count: words * count)
            compute(0..<words, to: table.base)
            return
        }
        let stride = kaption_narrow_row_stride(count) / 2
        table = FloatBuffer(count: words * stride)
        let (gates, scales) = (FloatBuffer(count: Self.block * count), FloatBuffer(count: Self.block))
        for first in Swift.stride(from: 0, to: words, by: Self.block) {
            let block = first..<min(first + Self.block, words)
            compute(block, to: gates.base)
            kaption_narrow_rows(
                isa, KAPTION_BFLOAT16, block.count, count, gates.base, count, table.base + first * stride, scales.base)
        }
    }

    /// A word's `count` floats, where they lie or, if the table is narrow, in `room`.
    func row(of word: Int, room: UnsafeMutablePointer<Float>) -> UnsafePointer<Float> {
        guard isNarrow else { return UnsafePointer(table.base + word * count) }
        let stride = kaption_narrow_row_stride(count) / 2
        let narrow = UnsafeRawPointer(table.base + word * stride).assumingMemoryBound(to: UInt16.self)
        for gate in 0..<count { room[gate] = Float(bitPattern: UInt32(narrow[gate]) << 16) }
        return UnsafePointer(room)
    }
}
