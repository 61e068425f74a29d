import Foundation

@testable import Training

/// The loss of Show and Tell in double precision, written as the formulas stand, to take finite differences of.
struct ReferenceDecoder {
    var shape: DecoderShape
    var weights: [DecoderTensor: [Double]]

    init(_ parameters: DecoderParameters) {
        shape = parameters.shape
        weights = Dictionary(
            uniqueKeysWithValues: DecoderTensor.allCases.map { tensor in
                let count = tensor.dimensions(parameters.shape).reduce(1, *)
                return (tensor, UnsafeBufferPointer(start: parameters[tensor], count: count).map(Double.init))
            })
    }

    /// Σ weight × cross-entropy over the targets.
    func loss(_ captions: [BatchCaption], features: (Int, Int) -> [Double], smoothing: Double) -> Double {
        captions.reduce(0) { $0 + Double($1.weight) * loss($1, features($1.image, $1.copy), smoothing) }
    }

    private func loss(_ caption: BatchCaption, _ feature: [Double], _ smoothing: Double) -> Double {
        var (hidden, cell) = ([Double](repeating: 0, count: shape.hidden), [Double](repeating: 0, count: shape.hidden))
        step(product(.imageWeight, feature, .imageBias), &hidden, &cell)
        var targets = caption.words
        if caption.ends { targets.append(2) }
        var sum = 0.0
        for (place, target) in targets.enumerated() {
            let word = place == 0 ? 1 : Int(caption.words[place - 1])
            step(
                Array((weights[.embedding] ?? [])[word * shape.embedding..<(word + 1) * shape.embedding]), &hidden,
                &cell)
            let logits = product(.outputWeight, hidden, .outputBias)
            let largest = logits.max() ?? 0
            let normaliser = largest + log(logits.reduce(0) { $0 + exp($1 - largest) })
            let mean = logits.reduce(0, +) / Double(shape.words)
            sum += normaliser - (1 - smoothing) * logits[Int(target)] - smoothing * mean
        }
        return sum
    }

    private func step(_ input: [Double], _ hidden: inout [Double], _ cell: inout [Double]) {
        func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
        let gates = zip(product(.inputWeight, input, .inputBias), product(.recurrentWeight, hidden, .recurrentBias))
            .map(+)
        let size = shape.hidden
        for unit in 0..<size {
            cell[unit] =
                sigmoid(gates[size + unit]) * cell[unit] + sigmoid(gates[unit]) * tanh(gates[2 * size + unit])
            hidden[unit] = sigmoid(gates[3 * size + unit]) * tanh(cell[unit])
        }
    }

    private func product(_ weight: DecoderTensor, _ input: [Double], _ bias: DecoderTensor) -> [Double] {
        guard let matrix = weights[weight], let bias = weights[bias] else { return [] }
        return bias.indices.map { row in
            input.indices.reduce(bias[row]) { $0 + matrix[row * input.count + $1] * input[$1] }
        }
    }
}
