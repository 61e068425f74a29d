import Foundation
import Inference

/// Show and Tell as its rules read, in double precision, one beam and one word at a time; shares nothing with the product.
struct ReferenceDecoder {
    let configuration: DecoderConfiguration
    let vocabulary: [String]
    let tensors: [String: [Double]]

    init(_ model: RandomDecoder) {
        configuration = model.configuration
        vocabulary = model.vocabulary
        tensors = model.tensors.mapValues { $0.values.map(Double.init) }
    }

    struct Candidate {
        var caption: String
        var logProbability: Double
        var score: Double
    }

    struct Outcome {
        var candidates: [Candidate]
        /// The smallest difference that decided anything; below the rounding of single precision the product may differ.
        var margin: Double
    }

    private struct State {
        var hidden: [Double]
        var cell: [Double]
    }

    private struct Beam {
        var words: [Int]
        var logProbability: Double
        var state: State
    }

    func captions(_ feature: [Float], _ options: CaptionOptions) -> Outcome {
        let zero = [Double](repeating: 0, count: configuration.hiddenSize)
        let embedded = linear("image.weight", feature.map(Double.init), bias: "image.bias")
        let first = lstm(embedded, State(hidden: zero, cell: zero))
        var live = [Beam(words: [], logProbability: 0, state: first)]
        var finished: [Beam] = []
        var margin = Double.infinity
        var steps = 0
        repeat {
            steps += 1
            var continuations: [(logProbability: Double, beam: Int, word: Int)] = []
            for (index, beam) in live.enumerated() {
                live[index].state = lstm(
                    embedding(of: beam.words.last ?? configuration.tokens.start), beam.state)
                for (word, logProbability) in logProbabilities(live[index].state).enumerated()
                where logProbability > -.infinity {
                    continuations.append((beam.logProbability + logProbability, index, word))
                }
            }
            continuations.sort { ($1.logProbability, $0.beam, $0.word) < ($0.logProbability, $1.beam, $1.word) }
            if continuations.count > options.beam {
                let difference =
                    continuations[options.beam - 1].logProbability - continuations[options.beam].logProbability
                // An exact tie is decided by the rules, so it is no narrow margin.
                if difference > 0 { margin = min(margin, difference) }
            }
            let parents = live
            live = []
            for best in continuations.prefix(options.beam) {
                var beam = parents[best.beam]
                beam.logProbability = best.logProbability
                beam.words.append(best.word)
                if best.word == configuration.tokens.end { finished.append(beam) } else { live.append(beam) }
            }
        } while finished.count < options.beam && !live.isEmpty && steps < options.maxWords

        let ended = finished.isEmpty ? live : finished
        let scored = ended.map { beam in
            (beam, beam.logProbability / pow(Double(beam.words.count), configuration.lengthExponent))
        }
        let order = scored.indices.sorted { (-scored[$0].1, $0) < (-scored[$1].1, $1) }
        for (better, worse) in zip(order, order.dropFirst()) where scored[better].1 > scored[worse].1 {
            margin = min(margin, scored[better].1 - scored[worse].1)
        }
        let candidates = order.prefix(options.candidates).map { index in
            let (beam, score) = scored[index]
            let words = beam.words.filter { $0 != configuration.tokens.end }.map { vocabulary[$0] }
            return Candidate(
                caption: words.joined(separator: " "), logProbability: beam.logProbability, score: score)
        }
        return Outcome(candidates: candidates, margin: margin)
    }

    private func tensor(_ name: String) -> [Double] { tensors[name] ?? [] }

    private func linear(_ weight: String, _ input: [Double], bias: String) -> [Double] {
        let (weight, bias) = (tensor(weight), tensor(bias))
        return bias.indices.map { row in
            input.indices.reduce(bias[row]) { $0 + weight[row * input.count + $1] * input[$1] }
        }
    }

    private func embedding(of word: Int) -> [Double] {
        let size = configuration.embeddingSize
        return Array(tensor("embedding.weight")[word * size..<(word + 1) * size])
    }

    private func lstm(_ input: [Double], _ state: State) -> State {
        let size = configuration.hiddenSize
        let gates = zip(
            linear("lstm.weight_ih_l0", input, bias: "lstm.bias_ih_l0"),
            linear("lstm.weight_hh_l0", state.hidden, bias: "lstm.bias_hh_l0")
        ).map(+)
        func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
        var next = state
        for j in 0..<size {
            let (entering, forgetting) = (sigmoid(gates[j]), sigmoid(gates[size + j]))
            let (content, leaving) = (tanh(gates[2 * size + j]), sigmoid(gates[3 * size + j]))
            next.cell[j] = forgetting * state.cell[j] + entering * content
            next.hidden[j] = leaving * tanh(next.cell[j])
        }
        return next
    }

    private func logProbabilities(_ state: State) -> [Double] {
        let logits = linear("output.weight", state.hidden, bias: "output.bias")
        let largest = logits.max() ?? 0
        let normaliser = largest + log(logits.reduce(0) { $0 + exp($1 - largest) })
        var result = logits.map { $0 - normaliser }
        for token in [configuration.tokens.pad, configuration.tokens.start, configuration.tokens.unknown] {
            result[token] = -.infinity
        }
        return result
    }
}
