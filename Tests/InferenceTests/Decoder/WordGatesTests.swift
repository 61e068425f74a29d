import TestSupport
import Testing

@testable import Inference

@Suite("What words contribute to the gates")
struct WordGatesTests {
    @Test(
        "a narrow table has the floats' rows rounded to bfloat16, whatever the block a word is in",
        arguments: [1, 255, 256, 700])
    func narrow(words: Int) throws {
        var generator = SeededGenerator(7)
        func numbers(_ count: Int) -> [Float] { generator.floats(count, scale: 1) }
        let (inputs, gates) = (13, 4 * 9)
        let embedding = WeightTensor(shape: [words, inputs], values: numbers(words * inputs))
        let weight = WeightTensor(shape: [gates, inputs], values: numbers(gates * inputs))
        let bias = numbers(gates)
        let (wide, narrow) = (
            WordGates(
                embedding: embedding, weight: weight, bias: bias, isa: InstructionSet.best.isa, isNarrow: false),
            WordGates(embedding: embedding, weight: weight, bias: bias, isa: InstructionSet.best.isa, isNarrow: true)
        )
        let room = FloatBuffer(count: gates)
        for word in 0..<words {
            let expected = wide.row(of: word, room: room.base)
            let sum = (0..<inputs).reduce(bias[0]) { $0 + embedding.values[word * inputs + $1] * weight.values[$1] }
            #expect(abs(expected[0] - sum) < 1e-5)
            let rounded = narrow.row(of: word, room: room.base)
            for gate in 0..<gates {
                // Half a unit of the eighth bit, and what another order of sums may make of it.
                #expect(abs(rounded[gate] - expected[gate]) <= abs(expected[gate]) / 256 + 1e-5)
                #expect(rounded[gate].bitPattern & 0xffff == 0)
            }
        }
    }
}
