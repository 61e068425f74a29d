import Kernels
import TestSupport
import Testing

/// Each vector kernel against its plain twin, over sizes around the vectors' widths.
@Suite("Decoder kernels against their plain twins")
struct DecoderKernelTests {
    static let vectorSets = [KAPTION_ISA_AVX2, KAPTION_ISA_AVX512, KAPTION_ISA_AVX512_VNNI, KAPTION_ISA_AMX].filter {
        kaption_isa_available($0) != 0
    }
    static let sizes = [1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 513, 2_538]

    /// Sums run in the same lanes on all of them: not on the plain one, which has another e^x.
    @Test(arguments: vectorSets.map(\.rawValue))
    func vectorSetsHaveTheSameBits(rawISA: UInt32) {
        let isa = kaption_isa(rawValue: rawISA)
        let values = (0..<20).map { randoms(1_000 + $0, -5...5) }
        let found = values.map { normaliser(isa, $0) }
        #expect(found == values.map { normaliser(KAPTION_ISA_AVX2, $0) })
        #expect(found != values.map { normaliser(KAPTION_ISA_PLAIN, $0) })
        let (input, cell) = (randoms(4 * 513, -8...8), randoms(513, -4...4))
        func run(_ isa: kaption_isa) -> Cells {
            lstm(isa, rows: 1, size: 513, input: input, recurrent: nil, cell: cell, stride: 513)
        }
        #expect(run(isa) == run(KAPTION_ISA_AVX2))
        #expect(run(isa) != run(KAPTION_ISA_PLAIN))
    }

    private func randoms(_ count: Int, _ range: ClosedRange<Float>) -> [Float] {
        var generator = SeededGenerator(UInt64(count))
        return (0..<count).map { _ in Float.random(in: range, using: &generator) }
    }

    private struct Cells: Equatable {
        var cell: [Float]
        var hidden: [Float]
    }

    private func lstm(
        _ isa: kaption_isa, rows: Int, size: Int, input: [Float], recurrent: [Float]?, cell: [Float], stride: Int
    ) -> Cells {
        var result = Cells(cell: cell, hidden: Array(repeating: -7, count: cell.count))
        input.withUnsafeBufferPointer { input in
            let inputs = (0..<rows).map { row in input.baseAddress.map { $0 + row * 4 * size } }
            kaption_lstm_cell(
                isa, rows, size, inputs, recurrent, 4 * size, &result.cell, &result.hidden, stride)
        }
        return result
    }

    @Test(arguments: vectorSets.map(\.rawValue), sizes)
    func lstmCell(rawISA: UInt32, size: Int) {
        let isa = kaption_isa(rawValue: rawISA)
        let (rows, stride) = (3, size + 2)
        // Wide enough to saturate every gate, with values around zero too.
        let input = randoms(rows * 4 * size, -30...30).enumerated().map { $0 % 3 == 0 ? $1 / 100 : $1 }
        let recurrent = randoms(rows * 4 * size, -3...3)
        let cell = randoms(rows * stride, -4...4)
        for products in [recurrent, nil] {
            let expected = lstm(
                KAPTION_ISA_PLAIN, rows: rows, size: size, input: input, recurrent: products, cell: cell, stride: stride
            )
            let found = lstm(isa, rows: rows, size: size, input: input, recurrent: products, cell: cell, stride: stride)
            let pairs = zip(found.cell + found.hidden, expected.cell + expected.hidden)
            #expect(pairs.allSatisfy { abs($0 - $1) <= 4e-7 * max(1, abs($1)) })
            for row in 0..<rows {
                #expect(found.hidden[row * stride + size] == -7, "nothing is written beyond a row")
                let alone = lstm(
                    isa, rows: 1, size: size, input: Array(input[(row * 4 * size)...]),
                    recurrent: products.map { Array($0[(row * 4 * size)...]) },
                    cell: Array(cell[(row * stride)...].prefix(stride)), stride: stride)
                #expect(alone.hidden[..<size] == found.hidden[(row * stride)...].prefix(size))
            }
        }
    }

    @Test(arguments: vectorSets.map(\.rawValue))
    func lstmCellKeepsNaN(rawISA: UInt32) {
        for gate in 0..<4 {
            var input = [Float](repeating: 0.5, count: 4 * 20)
            input[gate * 20 + 18] = .nan
            let found = lstm(
                kaption_isa(rawValue: rawISA), rows: 1, size: 20, input: input, recurrent: nil,
                cell: Array(repeating: 1, count: 20), stride: 20)
            #expect(found.hidden.indices.filter { found.hidden[$0].isNaN } == [18])
        }
    }

    /// A scan of one row after the other, in blocks.
    private func scans(
        _ isa: kaption_isa, _ rows: [[Float]], capacity: Int = 1, block: Int = .max, excluded: [UInt32] = []
    ) -> [kaption_word_scan] {
        var scans = Array(repeating: kaption_word_scan(), count: rows.count)
        for row in rows.indices { kaption_word_scan_begin(capacity, &scans[row]) }
        let words = rows[0].count
        for first in stride(from: 0, to: words, by: min(block, words)) {
            let count = min(block, words - first)
            // Rows lie apart; what is between them is never read.
            var logits = rows.flatMap { $0[first..<first + count] + [.nan, .nan] }
            kaption_scan_words(
                isa, rows.count, first, count, &logits, count + 2, excluded, excluded.count, &scans)
        }
        return scans
    }

    private func normaliser(_ isa: kaption_isa, _ values: [Float], block: Int = .max) -> Float {
        var scan = scans(isa, [values], block: block)[0]
        return kaption_word_scan_normaliser(&scan)
    }

    @Test(arguments: vectorSets.map(\.rawValue), sizes)
    func normaliserOfAllBlocks(rawISA: UInt32, count: Int) {
        let isa = kaption_isa(rawValue: rawISA)
        for range: ClosedRange<Float> in [-1...1, -200...80, 1_000...1_001] {
            let values = randoms(count, range)
            let expected = normaliser(KAPTION_ISA_PLAIN, values)
            for block in [1, 5, 16, 48, 480, .max] where count <= 513 || block > 16 {
                for values in [values, values.sorted(), values.sorted(by: >)] {
                    let found = normaliser(isa, values, block: block)
                    #expect(abs(found - expected) <= 2e-6 * max(1, abs(expected)))
                }
            }
        }
    }

    @Test(arguments: [KAPTION_ISA_PLAIN.rawValue] + vectorSets.map(\.rawValue), [1, 5, 16, 40])
    func normaliserOfWhatIsNotFinite(rawISA: UInt32, count: Int) {
        let isa = kaption_isa(rawValue: rawISA)
        for block in [3, Int.max] {
            for wrong: Float in [.nan, .infinity] {
                for place in 0..<count {
                    for others in [randoms(count, -1...1), Array(repeating: -.infinity, count: count)] {
                        var values = others
                        values[place] = wrong
                        #expect(!normaliser(isa, values, block: block).isFinite)
                    }
                }
            }
            let nothing = [Float](repeating: -.infinity, count: count)
            #expect(!normaliser(isa, nothing, block: block).isFinite)
            #expect(normaliser(isa, nothing + [2], block: block) == 2)
            #expect(normaliser(isa, [2] + nothing, block: block) == 2)
        }
    }

    @Test(arguments: [KAPTION_ISA_PLAIN.rawValue] + vectorSets.map(\.rawValue), sizes)
    func bestContinuations(rawISA: UInt32, words: Int) {
        let isa = kaption_isa(rawValue: rawISA)
        var generator = SeededGenerator(UInt64(words))
        for capacity in 1...Int(KAPTION_MOST_BEST_WORDS) {
            // Few different values, so that many tie, and −∞ among them. The greatest may be excluded.
            var beams = (0..<3).map { _ in
                (0..<words).map { _ in
                    Bool.random(using: &generator)
                        ? Float(Int.random(in: 0...20, using: &generator)) : -Float.infinity
                }
            }
            for beam in beams.indices { beams[beam][0] = 0 }
            let excluded = words < 3 ? [] : [UInt32(words / 2), UInt32(words - 1)]
            for block in [7, 32, Int.max] {
                var scans = scans(isa, beams, capacity: capacity, block: block, excluded: excluded)
                var all: [(logProbability: Float, beam: Int, word: Int)] = []
                var best = Array(repeating: kaption_continuation(), count: capacity)
                var kept = 0
                for (beam, logits) in beams.enumerated() {
                    let normaliser = kaption_word_scan_normaliser(&scans[beam])
                    for (word, logit) in logits.enumerated()
                    where logit > -.infinity && !excluded.contains(UInt32(word)) {
                        all.append((-Float(beam) + (logit - normaliser), beam, word))
                    }
                    kept = kaption_keep_best(&scans[beam], -Float(beam), UInt32(beam), capacity, kept, &best)
                }
                all.sort { ($1.logProbability, $0.beam, $0.word) < ($0.logProbability, $1.beam, $1.word) }
                let found = best.prefix(kept)
                #expect(found.map(\.log_probability) == all.prefix(capacity).map(\.logProbability))
                #expect(found.map { Int($0.beam) } == all.prefix(capacity).map(\.beam))
                #expect(found.map { Int($0.word) } == all.prefix(capacity).map(\.word))
            }
        }
    }
}
