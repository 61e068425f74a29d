import Kernels
import TestSupport
import Testing

/// Each vector kernel against its plain twin, over sizes around the vectors' widths.
@Suite("Decoder kernels against their plain twins")
struct DecoderKernelTests {
    static let vectorSets = [KAPTION_ISA_AVX2, KAPTION_ISA_AVX512].filter { kaption_isa_available($0) != 0 }
    static let sizes = [1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 513, 2_538]

    /// The tables beyond AVX-512's use its decoder kernels: not the plain ones, whose sums run in another order.
    @Test(
        arguments: [KAPTION_ISA_AVX512_VNNI, KAPTION_ISA_AMX].filter { kaption_isa_available($0) != 0 }.map(\.rawValue))
    func widerSetsHaveTheBitsOfAVX512(rawISA: UInt32) {
        let isa = kaption_isa(rawValue: rawISA)
        let values = (0..<20).map { randoms(1_000 + $0, -5...5) }
        let found = values.map { kaption_log_sum_exp(isa, $0.count, $0) }
        #expect(found == values.map { kaption_log_sum_exp(KAPTION_ISA_AVX512, $0.count, $0) })
        #expect(found != values.map { kaption_log_sum_exp(KAPTION_ISA_PLAIN, $0.count, $0) })
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

    @Test(arguments: vectorSets.map(\.rawValue), sizes)
    func logSumExp(rawISA: UInt32, count: Int) {
        let isa = kaption_isa(rawValue: rawISA)
        for range: ClosedRange<Float> in [-1...1, -200...80, 1_000...1_001] {
            let values = randoms(count, range)
            let expected = kaption_log_sum_exp(KAPTION_ISA_PLAIN, count, values)
            let found = kaption_log_sum_exp(isa, count, values)
            #expect(abs(found - expected) <= 1e-6 * max(1, abs(expected)))
        }
    }

    @Test(arguments: [KAPTION_ISA_PLAIN.rawValue] + vectorSets.map(\.rawValue), [1, 5, 16, 40])
    func logSumExpOfWhatIsNotFinite(rawISA: UInt32, count: Int) {
        let isa = kaption_isa(rawValue: rawISA)
        for wrong: Float in [.nan, .infinity] {
            for place in 0..<count {
                var values = randoms(count, -1...1)
                values[place] = wrong
                #expect(!kaption_log_sum_exp(isa, count, values).isFinite)
            }
        }
        let nothing = [Float](repeating: -.infinity, count: count)
        #expect(!kaption_log_sum_exp(isa, count, nothing).isFinite)
        #expect(kaption_log_sum_exp(isa, count + 1, nothing + [2]) == 2)
    }

    private func best(
        _ isa: kaption_isa, _ beams: [[Float]], capacity: Int
    ) -> [kaption_continuation] {
        var list = Array(repeating: kaption_continuation(), count: capacity)
        var kept = 0
        for (beam, logits) in beams.enumerated() {
            kept = kaption_keep_best(
                isa, logits.count, logits, 0.25, -Float(beam), UInt32(beam), capacity, kept, &list)
        }
        return Array(list.prefix(kept))
    }

    @Test(arguments: [KAPTION_ISA_PLAIN.rawValue] + vectorSets.map(\.rawValue), sizes)
    func keepBest(rawISA: UInt32, words: Int) {
        let isa = kaption_isa(rawValue: rawISA)
        var generator = SeededGenerator(UInt64(words))
        for capacity in 1...10 {
            // Few different values, so that many tie, and −∞ among them.
            let beams = (0..<3).map { _ in
                (0..<words).map { _ in
                    Bool.random(using: &generator)
                        ? Float(Int.random(in: 0...20, using: &generator)) : -Float.infinity
                }
            }
            var all: [(logProbability: Float, beam: Int, word: Int)] = []
            for (beam, logits) in beams.enumerated() {
                for (word, logit) in logits.enumerated() where logit > -.infinity {
                    all.append((-Float(beam) + (logit - 0.25), beam, word))
                }
            }
            all.sort { ($1.logProbability, $0.beam, $0.word) < ($0.logProbability, $1.beam, $1.word) }
            let found = best(isa, beams, capacity: capacity)
            #expect(found.map(\.log_probability) == all.prefix(capacity).map(\.logProbability))
            #expect(found.map { Int($0.beam) } == all.prefix(capacity).map(\.beam))
            #expect(found.map { Int($0.word) } == all.prefix(capacity).map(\.word))
        }
    }
}
