import Foundation

@testable import Inference

/// A graph computed as its schema reads, in double precision, without any plan.
struct ReferenceExecutor {
    var graph: Graph
    var weights: [String: WeightTensor]

    /// The feature of `image`, `[height][width][channels]` without padding.
    func run(_ image: [Float]) -> [Double] {
        var values = [image.map(Double.init)]
        for node in graph.nodes { values.append(compute(node, node.inputs.map { values[$0] })) }
        return values.last!
    }

    private func compute(_ node: Graph.Node, _ inputs: [[Double]]) -> [Double] {
        let shapes = node.inputs.map { graph.shape(ofValue: $0) }
        let channels = shapes[0].channels
        switch node.operation {
        case .convolution(let weight, let bias, let window, let groups):
            let filters = node.shape.channels
            let perGroup = channels / groups
            let w = values(weight)
            let b = bias.map(values)
            return windows(shapes[0], node.shape, window) { cells, filter in
                let group = filter / (filters / groups)
                var sum = b?[filter] ?? 0
                for cell in cells {
                    guard let pixel = cell.pixel else { continue }
                    for c in 0..<perGroup {
                        sum +=
                            inputs[0][pixel * channels + group * perGroup + c]
                            * w[(filter * window.taps + cell.tap) * perGroup + c]
                    }
                }
                return sum
            }
        case .dense(let weight, let bias):
            let w = values(weight)
            let b = bias.map(values)
            return (0..<node.shape.count).map { j in
                var sum = b?[j] ?? 0
                for p in 0..<channels { sum += inputs[0][p] * w[j * channels + p] }
                return sum
            }
        case .add, .multiply:
            return inputs[0].indices.map { index in
                let other = inputs[1].count == inputs[0].count ? inputs[1][index] : inputs[1][index % channels]
                if case .add = node.operation { return inputs[0][index] + other }
                return inputs[0][index] * other
            }
        case .scaleShift(let scale, let shift):
            let s = values(scale)
            let t = values(shift)
            return inputs[0].indices.map { inputs[0][$0] * s[$0 % channels] + t[$0 % channels] }
        case .activation(let activation): return inputs[0].map { Self.activate(activation, $0) }
        case .maxPool(let window):
            return windows(shapes[0], node.shape, window) { cells, c in
                cells.compactMap { $0.pixel.map { inputs[0][$0 * channels + c] } }.max()!
            }
        case .averagePool(let window, let countsPadding):
            return windows(shapes[0], node.shape, window) { cells, c in
                let inside = cells.compactMap { $0.pixel.map { inputs[0][$0 * channels + c] } }
                let count = countsPadding ? cells.filter(\.isInPaddedImage).count : inside.count
                return inside.reduce(0, +) / Double(count)
            }
        case .globalAveragePool:
            let pixels = shapes[0].count / channels
            return (0..<channels).map { c in
                var sum = 0.0
                for pixel in 0..<pixels { sum += inputs[0][pixel * channels + c] }
                return sum / Double(pixels)
            }
        case .concatenate:
            let pixels = shapes[0].count / channels
            return (0..<pixels).flatMap { pixel in
                zip(inputs, shapes).flatMap { Array($0[pixel * $1.channels..<(pixel + 1) * $1.channels]) }
            }
        case .gatherChannels(let indices):
            return (0..<shapes[0].count / channels).flatMap { pixel in indices.map { inputs[0][pixel * channels + $0] }
            }
        case .flatten: return inputs[0]
        }
    }

    private func values(_ name: String) -> [Double] { weights[name]!.values.map(Double.init) }

    struct Cell {
        var tap: Int
        /// The input pixel, nil outside the image.
        var pixel: Int?
        var isInPaddedImage: Bool
    }

    private func windows(
        _ input: Graph.Shape, _ output: Graph.Shape, _ window: Graph.Window, _ body: ([Cell], Int) -> Double
    ) -> [Double] {
        guard case .image(let height, let width, _) = input, case .image(let rows, let columns, let channels) = output
        else { return [] }
        var result: [Double] = []
        for y in 0..<rows {
            for x in 0..<columns {
                var cells: [Cell] = []
                for i in 0..<window.kernelHeight {
                    for j in 0..<window.kernelWidth {
                        let row = y * window.strideHeight + i * window.dilationHeight - window.padTop
                        let column = x * window.strideWidth + j * window.dilationWidth - window.padLeft
                        let isInside = 0..<height ~= row && 0..<width ~= column
                        cells.append(
                            Cell(
                                tap: i * window.kernelWidth + j, pixel: isInside ? row * width + column : nil,
                                isInPaddedImage: row < height + window.padBottom && column < width + window.padRight))
                    }
                }
                for channel in 0..<channels { result.append(body(cells, channel)) }
            }
        }
        return result
    }

    static func activate(_ activation: Graph.Activation, _ x: Double) -> Double {
        switch activation {
        case .relu: max(0, x)
        case .clip(let minimum, let maximum): min(max(x, Double(minimum)), Double(maximum))
        case .sigmoid: 1 / (1 + exp(-x))
        case .hardSigmoid(let alpha, let beta): max(0, min(1, Double(alpha) * x + Double(beta)))
        case .hardSwish: x * max(0, min(1, x / 6 + 0.5))
        case .silu: x / (1 + exp(-x))
        case .gelu: x / 2 * (1 + erf(x / 2.0.squareRoot()))
        }
    }
}
