import Inference

/// All tensors of a decoder in one piece of memory, each on a 64-byte boundary: weights, their gradients, or an optimiser's
/// moments. Gaps between tensors are zeros and stay so.
public final class DecoderParameters {
    public let shape: DecoderShape
    private let buffer: FloatBuffer
    private let offsets: [DecoderTensor: Int]

    /// Zeros.
    public init(shape: DecoderShape) {
        self.shape = shape
        var offsets: [DecoderTensor: Int] = [:]
        var end = 0
        for tensor in DecoderTensor.allCases {
            offsets[tensor] = end
            end += Self.padded(tensor.count(shape))
        }
        self.offsets = offsets
        buffer = FloatBuffer(count: end)
    }

    private static func padded(_ count: Int) -> Int { (count + 15) / 16 * 16 }

    /// Floats that a shape takes, gaps included; nil where a size is not positive or beyond 2²⁰.
    static func count(_ shape: DecoderShape) -> Int? {
        let sizes = [shape.feature, shape.embedding, shape.hidden, shape.words]
        guard sizes.allSatisfy({ (1...1 << 20).contains($0) }) else { return nil }
        return DecoderTensor.allCases.reduce(0) { $0 + padded($1.count(shape)) }
    }

    /// Floats, gaps included.
    public var count: Int { buffer.count }

    public var base: UnsafeMutablePointer<Float> { buffer.base }

    /// Where a tensor begins, in floats.
    func offset(_ tensor: DecoderTensor) -> Int {
        guard let offset = offsets[tensor] else { preconditionFailure("every tensor has its place") }
        return offset
    }

    public subscript(_ tensor: DecoderTensor) -> UnsafeMutablePointer<Float> { buffer.base + offset(tensor) }

    public func copy(from other: DecoderParameters) {
        precondition(other.shape == shape, "parameters of another shape")
        base.update(from: other.base, count: count)
    }

    /// The tensors as a bundle takes them.
    public func tensors() -> [String: WeightTensor] {
        var tensors: [String: WeightTensor] = [:]
        for tensor in DecoderTensor.allCases {
            let values = UnsafeBufferPointer(start: self[tensor], count: tensor.count(shape))
            tensors[tensor.rawValue] = WeightTensor(shape: tensor.dimensions(shape), values: Array(values))
        }
        return tensors
    }

    /// Takes tensors as a bundle gives them. Embedding and output layer may have fewer words than `shape`; what they lack stays
    /// as it is.
    ///
    /// - Throws: `TrainingError` where a shape does not fit, and what `weights` throws.
    public func load(_ weights: (String) throws -> WeightTensor) throws {
        for tensor in DecoderTensor.allCases {
            let source = try weights(tensor.rawValue)
            let wanted = tensor.dimensions(shape)
            let isByWord = [.embedding, .outputWeight, .outputBias].contains(tensor)
            let fits =
                source.shape.dropFirst() == wanted.dropFirst()
                && (source.shape.first == wanted.first || isByWord && (source.shape.first ?? 0) < (wanted.first ?? 0))
            guard fits, source.values.count == source.shape.reduce(1, *) else {
                throw TrainingError("\(tensor.rawValue) has shape \(source.shape), and \(wanted) is needed")
            }
            source.values.withUnsafeBufferPointer { values in
                if let first = values.baseAddress { self[tensor].update(from: first, count: values.count) }
            }
        }
    }

    /// Random weights: evenly spread over ±1/√inputs for image and LSTM, ±0.1 for embedding and output layer (Vinyals et al. do
    /// alike), biases 0, but 1 for the forget gate (Jozefowicz et al., "An Empirical Exploration of Recurrent Network
    /// Architectures", 2015).
    public func initialise(seed: UInt64) {
        var random = RandomStream(seed: seed, .weights)
        for tensor in DecoderTensor.allCases {
            let scale: Float
            switch tensor {
            case .imageWeight: scale = 1 / Float(shape.feature).squareRoot()
            case .inputWeight, .recurrentWeight: scale = 1 / Float(shape.hidden).squareRoot()
            case .embedding, .outputWeight: scale = 0.1
            case .imageBias, .inputBias, .recurrentBias, .outputBias: scale = 0
            }
            for index in 0..<tensor.count(shape) { self[tensor][index] = random.uniform(scale) }
        }
        (self[.inputBias] + shape.hidden).update(repeating: 1, count: shape.hidden)
    }
}
