@testable import Inference

/// Writes graphs with random weights for tests.
struct GraphBuilder {
    private(set) var graph: Graph
    private(set) var weights: [String: WeightTensor] = [:]
    var random: RandomNumbers

    init(height: Int, width: Int, channels: Int, seed: UInt64) {
        graph = Graph(input: .image(height: height, width: width, channels: channels), nodes: [])
        random = RandomNumbers(seed: seed)
    }

    func shape(_ value: Int) -> Graph.Shape { graph.shape(ofValue: value) }

    /// A new tensor of values that keep sums of `fanIn` products about as large as their inputs.
    private mutating func weight(_ shape: [Int], fanIn: Int) -> String {
        let name = "w\(weights.count)"
        let values = random.floats(shape.reduce(1, *), scale: (3 / Float(fanIn)).squareRoot())
        weights[name] = WeightTensor(shape: shape, values: values)
        return name
    }

    @discardableResult
    mutating func node(_ operation: Graph.Operation, _ inputs: [Int], _ shape: Graph.Shape) -> Int {
        graph.nodes.append(.init(name: "n\(graph.nodes.count)", operation: operation, inputs: inputs, shape: shape))
        return graph.nodes.count
    }

    @discardableResult
    mutating func convolution(
        _ input: Int, filters: Int, window: Graph.Window, groups: Int = 1, bias: Bool = true
    ) -> Int {
        guard case .image(let height, let width, let channels) = shape(input) else { return input }
        let name = weight(
            [filters, window.kernelHeight, window.kernelWidth, channels / groups],
            fanIn: window.taps * channels / groups)
        let rows = (height + window.padTop + window.padBottom - (window.kernelHeight - 1) * window.dilationHeight - 1)
        let columns = (width + window.padLeft + window.padRight - (window.kernelWidth - 1) * window.dilationWidth - 1)
        let output = Graph.Shape.image(
            height: rows / window.strideHeight + 1, width: columns / window.strideWidth + 1, channels: filters)
        let biasName = bias ? weight([filters], fanIn: 3) : nil
        return node(.convolution(weight: name, bias: biasName, window: window, groups: groups), [input], output)
    }

    @discardableResult
    mutating func pointwise(_ input: Int, filters: Int) -> Int {
        convolution(input, filters: filters, window: .init(kernelHeight: 1, kernelWidth: 1))
    }

    @discardableResult
    mutating func dense(_ input: Int, features: Int) -> Int {
        let inputs = shape(input).count
        let name = weight([features, inputs], fanIn: inputs)
        let bias = weight([features], fanIn: 3)
        return node(.dense(weight: name, bias: bias), [input], .vector(features))
    }

    @discardableResult
    mutating func scaleShift(_ input: Int) -> Int {
        let channels = shape(input).channels
        let scale = weight([channels], fanIn: 3)
        let shift = weight([channels], fanIn: 3)
        return node(.scaleShift(scale: scale, shift: shift), [input], shape(input))
    }

    @discardableResult
    mutating func activation(_ input: Int, _ activation: Graph.Activation) -> Int {
        node(.activation(activation), [input], shape(input))
    }

    @discardableResult
    mutating func add(_ a: Int, _ b: Int) -> Int { node(.add, [a, b], shape(a)) }

    @discardableResult
    mutating func multiply(_ a: Int, _ b: Int) -> Int { node(.multiply, [a, b], shape(a)) }

    @discardableResult
    mutating func concatenate(_ inputs: [Int]) -> Int {
        let channels = inputs.map { shape($0).channels }.reduce(0, +)
        return node(.concatenate, inputs, shape(inputs[0]).withChannels(channels))
    }

    @discardableResult
    mutating func globalAveragePool(_ input: Int, flat: Bool = true) -> Int {
        let channels = shape(input).channels
        return node(
            .globalAveragePool, [input], flat ? .vector(channels) : .image(height: 1, width: 1, channels: channels))
    }

    @discardableResult
    mutating func flatten(_ input: Int) -> Int { node(.flatten, [input], .vector(shape(input).count)) }

    /// A random image without padding.
    mutating func image() -> [Float] { random.floats(graph.input.count, scale: 2) }

    func encoder(_ instructionSet: InstructionSet) throws -> Encoder {
        try Encoder(graph: graph, weights: tensor, instructionSet: instructionSet)
    }

    func tensor(_ name: String) throws -> WeightTensor {
        guard let tensor = weights[name] else { throw ModelError("no tensor \(name)") }
        return tensor
    }

    var reference: ReferenceExecutor { ReferenceExecutor(graph: graph, weights: weights) }
}

extension EncoderWorkspace {
    /// Copies an image without padding into the input; the floats that are not read become NaN.
    func load(_ image: [Float], of encoder: Encoder) {
        let channels = encoder.inputChannels
        for pixel in 0..<encoder.inputHeight * encoder.inputWidth {
            for c in 0..<Encoder.inputPixelStride {
                input[pixel * Encoder.inputPixelStride + c] = c < channels ? image[pixel * channels + c] : .nan
            }
        }
    }

    func feature(row: Int, of encoder: Encoder) -> [Float] {
        Array(UnsafeBufferPointer(start: features(row: row), count: encoder.featureSize))
    }
}

/// max|a − b| ÷ max|b|.
func relativeError(_ a: [Float], _ b: [Double]) -> Double {
    guard a.count == b.count, a.allSatisfy(\.isFinite) else { return .infinity }
    let largest = b.map(abs).max() ?? 0
    return (zip(a, b).map { abs(Double($0) - $1) }.max() ?? 0) / max(largest, 1e-30)
}
