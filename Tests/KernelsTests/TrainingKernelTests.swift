import Foundation
import Kernels
import TestSupport
import Testing

/// Each vector kernel of training against its plain twin, over sizes around the vectors' widths.
@Suite("Training kernels against their plain twins")
struct TrainingKernelTests {
    static let vectorSets = [KAPTION_ISA_AVX2, KAPTION_ISA_AVX512].filter { kaption_isa_available($0) != 0 }.map(
        \.rawValue)
    static let sizes = [1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 100, 513]

    private func randoms(_ count: Int, _ scale: Float, seed: UInt64 = 1) -> [Float] {
        var generator = SeededGenerator(seed &+ UInt64(count))
        return generator.floats(count, scale: scale)
    }

    private func isClose(_ found: [Float], _ expected: [Float], _ tolerance: Float = 2e-6) -> Bool {
        zip(found, expected).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
    }

    /// The tables beyond AVX-512's use its training kernels, not the plain ones.
    @Test(
        arguments: [KAPTION_ISA_AVX512_VNNI, KAPTION_ISA_AMX].filter { kaption_isa_available($0) != 0 }.map(\.rawValue))
    func widerSetsHaveTheBitsOfAVX512(rawISA: UInt32) {
        let found = lstm(kaption_isa(rawValue: rawISA), 513, startsFromZero: false)
        #expect(found == lstm(KAPTION_ISA_AVX512, 513, startsFromZero: false))
        #expect(found != lstm(KAPTION_ISA_PLAIN, 513, startsFromZero: false))
    }

    /// Two rows forward and backward: gates, cell, hidden, then the gradients of gates and cell.
    private func lstm(_ isa: kaption_isa, _ size: Int, startsFromZero: Bool) -> [[Float]] {
        let rows = 2
        var gates = randoms(rows * 4 * size, 3)
        let (input, bias) = (randoms(4 * size, 3, seed: 2), randoms(4 * size, 1, seed: 3))
        let before = randoms(rows * size, 2, seed: 4)
        var (cell, hidden) = ([Float](repeating: 0, count: rows * size), [Float](repeating: 0, count: rows * size))
        var cellGradient = randoms(rows * size, 1, seed: 5)
        let hiddenGradient = randoms(rows * size, 1, seed: 6)
        var results: [[Float]] = []
        input.withUnsafeBufferPointer { input in
            let inputs = [input.baseAddress, input.baseAddress]
            before.withUnsafeBufferPointer { before in
                let start = startsFromZero ? nil : before.baseAddress
                kaption_lstm_forward(isa, rows, size, inputs, bias, &gates, start, &cell, &hidden)
                results = [gates, cell, hidden]
                kaption_lstm_backward(isa, rows, size, &gates, start, cell, hiddenGradient, &cellGradient)
            }
        }
        return results + [gates, cellGradient]
    }

    @Test(arguments: vectorSets, sizes)
    func lstmForwardAndBackward(rawISA: UInt32, size: Int) {
        for startsFromZero in [false, true] {
            let expected = lstm(KAPTION_ISA_PLAIN, size, startsFromZero: startsFromZero)
            let found = lstm(kaption_isa(rawValue: rawISA), size, startsFromZero: startsFromZero)
            for (found, expected) in zip(found, expected) { #expect(isClose(found, expected)) }
        }
    }

    @Test(arguments: vectorSets, sizes)
    func softmaxLoss(rawISA: UInt32, count: Int) {
        let bias = randoms(count, 1, seed: 2)
        for scale: Float in [1, 20, 200] {
            for (smoothing, weight) in [(Float(0), Float(1)), (0.1, 0.25), (0.3, -2)] {
                let logits = randoms(count, scale)
                var (plain, vector) = (logits, logits)
                let target = count / 2
                let expected = kaption_softmax_loss(KAPTION_ISA_PLAIN, count, &plain, bias, target, smoothing, weight)
                let found = kaption_softmax_loss(
                    kaption_isa(rawValue: rawISA), count, &vector, bias, target, smoothing, weight)
                #expect(abs(found - expected) <= 1e-5 * max(1, abs(expected)))
                #expect(isClose(vector, plain))
                #expect(abs(vector.reduce(0, +)) <= 1e-4 * abs(weight), "the gradient's sum is 0")
            }
        }
    }

    @Test(arguments: [KAPTION_ISA_PLAIN.rawValue] + vectorSets)
    func softmaxLossOfWhatIsNotFinite(rawISA: UInt32) {
        for wrong in [Float.nan, .infinity] {
            var logits = randoms(20, 1)
            logits[7] = wrong
            let loss = kaption_softmax_loss(
                kaption_isa(rawValue: rawISA), 20, &logits, [Float](repeating: 0, count: 20), 3, 0.1, 1)
            #expect(!loss.isFinite)
        }
    }

    @Test(arguments: vectorSets, sizes)
    func dropoutHasTheSameMask(rawISA: UInt32, count: Int) {
        let values = randoms(count, 1)
        var (plain, vector) = (values, values)
        kaption_dropout(KAPTION_ISA_PLAIN, count, 0x1234_5678_9abc_def0, 0.4, values, &plain)
        kaption_dropout(kaption_isa(rawValue: rawISA), count, 0x1234_5678_9abc_def0, 0.4, vector, &vector)
        #expect(plain == vector)
    }

    @Test func dropoutDropsItsShareAndKeepsTheMean() {
        let count = 200_000
        let ones = [Float](repeating: 1, count: count)
        var masks: [[Float]] = []
        for key: UInt64 in [1, 2, 1 << 32] {
            var values = ones
            kaption_dropout(kaption_isa_best(), count, key, 0.3, ones, &values)
            let dropped = Double(values.count { $0 == 0 }) / Double(count)
            #expect(abs(dropped - 0.3) < 0.01)
            #expect(values.allSatisfy { $0 == 0 || abs($0 - 1 / 0.7) < 1e-6 })
            masks.append(values)
        }
        #expect(masks[0] != masks[1] && masks[0] != masks[2])
    }

    @Test(arguments: vectorSets, sizes)
    func adam(rawISA: UInt32, count: Int) {
        var step = kaption_adam_step(
            gradient_scale: 0.5, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, rate: 0.01, inverse_variance: 31.6)
        let gradients = randoms(count, 1)
        var results: [[[Float]]] = []
        for isa in [KAPTION_ISA_PLAIN, kaption_isa(rawValue: rawISA)] {
            var (mean, variance) = (randoms(count, 0.1, seed: 2), randoms(count, 0.1, seed: 3).map(abs))
            var weights = randoms(count, 1, seed: 4)
            kaption_adam(isa, count, &step, gradients, &mean, &variance, &weights)
            results.append([mean, variance, weights])
        }
        for (found, expected) in zip(results[1], results[0]) { #expect(isClose(found, expected)) }
    }

    @Test(arguments: [KAPTION_ISA_PLAIN.rawValue] + vectorSets, sizes)
    func sumOfSquares(rawISA: UInt32, count: Int) {
        let values = randoms(count, 10)
        let expected = values.reduce(0.0) { $0 + Double($1) * Double($1) }
        #expect(
            abs(kaption_sum_of_squares(kaption_isa(rawValue: rawISA), count, values) - expected) <= 1e-12 * expected)
    }
}
