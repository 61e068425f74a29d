import Kernels

/// The constants of a plan, laid out before memory is taken and packed one tensor at a time.
struct ConstantLayout {
    private enum Content {
        case convolution(EncoderLayer.Convolution, taps: Int, packing: Packing, weights: Int, bias: Int)
        /// With a narrow input; the layer has no addresses.
        case narrow(EncoderLayer.Convolution, kaption_layer, at: Int)
        case vector(String, channels: Int, at: Int)
        case indices([Int], at: Int)
    }

    private enum Packing {
        case product, depthwise
        case winograd(kaption_window, kaption_winograd_tile)
    }

    private let isa: kaption_isa
    /// See `Quantisation.corrections`.
    private let corrections: [String: [Float]]
    private var contents: [Content] = []
    /// Floats so far; saturates above the limit. As many zeros as any layer reads follow them.
    private(set) var size = 0
    private var zeros = 0

    init(_ isa: kaption_isa, corrections: [String: [Float]] = [:]) {
        self.isa = isa
        self.corrections = corrections
    }

    /// Makes room for what `layer` needs and writes the places into `step`.
    mutating func add(_ layer: EncoderLayer, to step: inout kaption_step) {
        zeros = max(zeros, step.input.channels)
        let channels = step.output.channels
        switch layer.kind {
        case .convolution(let convolution) where step.input.numbers.element != KAPTION_FLOAT32,
            .depthwise(let convolution) where step.input.numbers.element != KAPTION_FLOAT32:
            var description = kaption_layer(step)
            step.has_weights = 1
            step.weights = take(kaption_narrow_packed_floats(isa, &description))
            contents.append(.narrow(convolution, description, at: step.weights))
        case .convolution(let convolution):
            let taps = layer.window.taps
            if step.operation == KAPTION_WINOGRAD {
                let floats = kaption_winograd_packed_floats(
                    isa, &step.window, step.tile, channels, step.input.channels)
                addConvolution(convolution, taps, .winograd(step.window, step.tile), floats, channels, &step)
            } else {
                let floats = kaption_convolution_packed_floats(
                    isa, channels, taps, step.input.channels / convolution.groups, convolution.groups)
                addConvolution(convolution, taps, .product, floats, channels, &step)
            }
        case .depthwise(let convolution):
            let taps = layer.window.taps
            addConvolution(
                convolution, taps, .depthwise, kaption_depthwise_packed_floats(channels, taps), channels, &step)
        case .scaleShift(let scale, let shift):
            step.has_weights = 1
            step.has_bias = 1
            step.weights = take(channels)
            step.bias = take(channels)
            contents.append(.vector(scale, channels: channels, at: step.weights))
            contents.append(.vector(shift, channels: channels, at: step.bias))
        case .gatherChannels(let indices):
            step.has_weights = 1
            step.weights = take(channels)
            contents.append(.indices(indices, at: step.weights))
        default: break
        }
    }

    private mutating func addConvolution(
        _ convolution: EncoderLayer.Convolution, _ taps: Int, _ packing: Packing, _ floats: Int, _ channels: Int,
        _ step: inout kaption_step
    ) {
        step.has_weights = 1
        step.has_bias = 1
        step.weights = take(floats)
        step.bias = take(channels)
        contents.append(
            .convolution(convolution, taps: taps, packing: packing, weights: step.weights, bias: step.bias))
    }

    private mutating func take(_ floats: Int) -> Int {
        defer { size = min(size + roundedUp(floats), Graph.Limits.memory + 1) }
        return size
    }

    /// Takes the memory and fills it.
    /// - Throws: `ModelError` where a tensor's shape is not what its layer needs.
    func pack(_ tensors: [String: WeightTensor]) throws -> FloatBuffer {
        guard size <= Graph.Limits.memory else {
            throw ModelError("the graph's weights take more than \(Graph.Limits.memory) floats")
        }
        let floats = FloatBuffer(count: size + roundedUp(zeros))
        for content in contents {
            switch content {
            case .vector(let name, let channels, let at):
                let tensor = try Self.load(name, [channels], tensors)
                (floats.base + at).update(from: tensor.values, count: channels)
            case .indices(let indices, let at):
                let target = UnsafeMutableRawPointer(floats.base + at)
                for (position, index) in indices.enumerated() {
                    target.storeBytes(of: UInt32(index), toByteOffset: position * 4, as: UInt32.self)
                }
            case .narrow(let convolution, var layer, let at):
                var folded = try Self.fold(convolution, tensors)
                if layer.input_numbers.element == KAPTION_UINT8, let correction = corrections[convolution.weight] {
                    guard correction.count == folded.bias.count else {
                        throw ModelError(
                            "the correction of \"\(convolution.weight.prefix(128))\" has \(correction.count) numbers")
                    }
                    for index in correction.indices { folded.bias[index] -= correction[index] }
                }
                guard kaption_narrow_pack(isa, &layer, folded.weight, folded.bias, floats.base + at) != 0 else {
                    throw ModelError("the tensor \"\(convolution.weight.prefix(128))\" cannot be quantised")
                }
            case .convolution(let convolution, let taps, let packing, let at, let bias):
                let folded = try Self.fold(convolution, tensors)
                let filters = convolution.weightShape[0]
                let channels = convolution.weightShape.last ?? 1
                switch packing {
                case .depthwise: kaption_depthwise_pack(filters, taps, folded.weight, floats.base + at)
                case .winograd(var window, let tile):
                    var scratch = [Float](repeating: 0, count: filters * channels)
                    kaption_winograd_pack(
                        isa, &window, tile, filters, channels, folded.weight, &scratch, floats.base + at)
                case .product:
                    kaption_convolution_pack(
                        isa, filters, taps, channels, convolution.groups, folded.weight, floats.base + at)
                }
                (floats.base + bias).update(from: folded.bias, count: filters)
            }
        }
        return floats
    }

    /// Weights and bias with the scales and shifts that follow the convolution folded into them.
    static func fold(
        _ convolution: EncoderLayer.Convolution, _ tensors: [String: WeightTensor]
    ) throws -> (weight: [Float], bias: [Float]) {
        var weight = try load(convolution.weight, convolution.weightShape, tensors).values
        let filters = convolution.weightShape[0]
        var bias = [Float](repeating: 0, count: filters)
        if let name = convolution.bias { bias = try load(name, [filters], tensors).values }
        let perFilter = weight.count / filters
        for pair in convolution.scaleShifts {
            let scale = try load(pair.scale, [filters], tensors).values
            let shift = try load(pair.shift, [filters], tensors).values
            for filter in 0..<filters {
                for index in filter * perFilter..<(filter + 1) * perFilter { weight[index] *= scale[filter] }
                bias[filter] = Float(Double(bias[filter]) * Double(scale[filter]) + Double(shift[filter]))
            }
        }
        return (weight, bias)
    }

    private static func load(
        _ name: String, _ shape: [Int], _ tensors: [String: WeightTensor]
    ) throws -> WeightTensor {
        guard let tensor = tensors[name], tensor.shape == shape, tensor.values.count == shape.reduce(1, *) else {
            throw ModelError("the tensor \"\(name.prefix(128))\" is not of the shape \(shape)")
        }
        return tensor
    }
}

extension kaption_layer {
    /// What a step's kernel does, without addresses.
    fileprivate init(_ step: kaption_step) {
        func shape(_ view: kaption_view) -> kaption_tensor {
            kaption_tensor(
                data: nil, height: view.height, width: view.width, channels: view.channels, stride: view.stride)
        }
        self.init()
        operation = step.operation
        activation = step.activation
        window = step.window
        groups = step.groups
        has_other = step.has_other
        (input, other, output) = (shape(step.input), shape(step.other), shape(step.output))
        (input_numbers, other_numbers) = (step.input.numbers, step.other.numbers)
        output_numbers = step.output.numbers
    }
}
