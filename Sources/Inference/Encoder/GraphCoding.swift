/// The graph in JSON, as `model.json` holds it:
///
/// ```json
/// {"input": [224, 224, 3],
///  "nodes": [
///    {"name": "stem", "operation": "convolution", "inputs": [0], "shape": [112, 112, 32], "weight": "encoder.0.weight",
///     "bias": "encoder.0.bias", "kernel": [3, 3], "stride": [2, 2], "padding": [0, 0, 1, 1]},
///    {"name": "relu6", "operation": "clip", "inputs": [1], "shape": [112, 112, 32], "minimum": 0, "maximum": 6}]}
/// ```
///
/// Shapes are `[height, width, channels]` or `[features]`; `kernel`, `stride` and `dilation` `[height, width]`; `padding` is `[top, left,
/// bottom, right]`. `stride`, `dilation`, `padding` and `groups` may be left out: 1, 1, 0 and 1.
extension Graph.Shape {
    public init(from decoder: any Swift.Decoder) throws {
        let sizes = try decoder.singleValueContainer().decode([Int].self)
        switch sizes.count {
        case 1: self = .vector(sizes[0])
        case 3: self = .image(height: sizes[0], width: sizes[1], channels: sizes[2])
        default:
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "a shape has one or three sizes"))
        }
    }

    public func encode(to encoder: any Swift.Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .image(let height, let width, let channels): try container.encode([height, width, channels])
        case .vector(let features): try container.encode([features])
        }
    }
}

extension Graph.Node {
    private enum Key: String, CodingKey {
        case name, operation, inputs, shape
        case weight, bias, scale, shift, groups, indices
        case kernel, stride, dilation, padding
        case countsPadding = "counts_padding"
        case minimum, maximum, alpha, beta
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        self.init(
            name: try values.decode(String.self, forKey: .name),
            operation: try Self.operation(values, try values.decode(String.self, forKey: .operation)),
            inputs: try values.decode([Int].self, forKey: .inputs),
            shape: try values.decode(Graph.Shape.self, forKey: .shape))
    }

    private static func operation(
        _ values: KeyedDecodingContainer<Key>, _ name: String
    ) throws -> Graph.Operation {
        switch name {
        case "convolution":
            .convolution(
                weight: try values.decode(String.self, forKey: .weight),
                bias: try values.decodeIfPresent(String.self, forKey: .bias), window: try window(values),
                groups: try values.decodeIfPresent(Int.self, forKey: .groups) ?? 1)
        case "dense":
            .dense(
                weight: try values.decode(String.self, forKey: .weight),
                bias: try values.decodeIfPresent(String.self, forKey: .bias))
        case "add": .add
        case "multiply": .multiply
        case "scale_shift":
            .scaleShift(
                scale: try values.decode(String.self, forKey: .scale),
                shift: try values.decode(String.self, forKey: .shift))
        case "max_pool": .maxPool(window: try window(values))
        case "average_pool":
            .averagePool(
                window: try window(values), countsPadding: try values.decode(Bool.self, forKey: .countsPadding))
        case "global_average_pool": .globalAveragePool
        case "concatenate": .concatenate
        case "gather_channels": .gatherChannels(indices: try values.decode([Int].self, forKey: .indices))
        case "flatten": .flatten
        case "relu": .activation(.relu)
        case "clip":
            .activation(
                .clip(
                    minimum: try values.decode(Float.self, forKey: .minimum),
                    maximum: try values.decode(Float.self, forKey: .maximum)))
        case "sigmoid": .activation(.sigmoid)
        case "hard_sigmoid":
            .activation(
                .hardSigmoid(
                    alpha: try values.decode(Float.self, forKey: .alpha),
                    beta: try values.decode(Float.self, forKey: .beta)))
        case "hard_swish": .activation(.hardSwish)
        case "silu": .activation(.silu)
        case "gelu": .activation(.gelu)
        default:
            throw DecodingError.dataCorruptedError(
                forKey: .operation, in: values, debugDescription: "unknown operation \"\(name.prefix(64))\"")
        }
    }

    private static func window(_ values: KeyedDecodingContainer<Key>) throws -> Graph.Window {
        func sizes(_ key: Key, count: Int, default value: Int?) throws -> [Int] {
            let sizes =
                try values.decodeIfPresent([Int].self, forKey: key) ?? value.map { Array(repeating: $0, count: count) }
            guard let sizes, sizes.count == count else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: values, debugDescription: "needs \(count) numbers")
            }
            return sizes
        }
        let kernel = try sizes(.kernel, count: 2, default: nil)
        let stride = try sizes(.stride, count: 2, default: 1)
        let dilation = try sizes(.dilation, count: 2, default: 1)
        let padding = try sizes(.padding, count: 4, default: 0)
        return Graph.Window(
            kernelHeight: kernel[0], kernelWidth: kernel[1], strideHeight: stride[0], strideWidth: stride[1],
            dilationHeight: dilation[0], dilationWidth: dilation[1],
            padTop: padding[0], padLeft: padding[1], padBottom: padding[2], padRight: padding[3])
    }

    public func encode(to encoder: any Swift.Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(name, forKey: .name)
        try values.encode(operation.name, forKey: .operation)
        try values.encode(inputs, forKey: .inputs)
        try values.encode(shape, forKey: .shape)
        switch operation {
        case .convolution(let weight, let bias, let window, let groups):
            try values.encode(weight, forKey: .weight)
            try values.encodeIfPresent(bias, forKey: .bias)
            try Self.encode(window, to: &values)
            if groups != 1 { try values.encode(groups, forKey: .groups) }
        case .dense(let weight, let bias):
            try values.encode(weight, forKey: .weight)
            try values.encodeIfPresent(bias, forKey: .bias)
        case .scaleShift(let scale, let shift):
            try values.encode(scale, forKey: .scale)
            try values.encode(shift, forKey: .shift)
        case .maxPool(let window): try Self.encode(window, to: &values)
        case .averagePool(let window, let countsPadding):
            try Self.encode(window, to: &values)
            try values.encode(countsPadding, forKey: .countsPadding)
        case .gatherChannels(let indices): try values.encode(indices, forKey: .indices)
        case .activation(.clip(let minimum, let maximum)):
            try values.encode(minimum, forKey: .minimum)
            try values.encode(maximum, forKey: .maximum)
        case .activation(.hardSigmoid(let alpha, let beta)):
            try values.encode(alpha, forKey: .alpha)
            try values.encode(beta, forKey: .beta)
        case .activation, .add, .multiply, .globalAveragePool, .concatenate, .flatten: break
        }
    }

    private static func encode(_ window: Graph.Window, to values: inout KeyedEncodingContainer<Key>) throws {
        try values.encode([window.kernelHeight, window.kernelWidth], forKey: .kernel)
        let stride = [window.strideHeight, window.strideWidth]
        if stride != [1, 1] { try values.encode(stride, forKey: .stride) }
        let dilation = [window.dilationHeight, window.dilationWidth]
        if dilation != [1, 1] { try values.encode(dilation, forKey: .dilation) }
        let padding = [window.padTop, window.padLeft, window.padBottom, window.padRight]
        if padding != [0, 0, 0, 0] { try values.encode(padding, forKey: .padding) }
    }
}

extension Graph.Operation {
    /// The operation's name in `model.json`.
    public var name: String {
        switch self {
        case .convolution: "convolution"
        case .dense: "dense"
        case .add: "add"
        case .multiply: "multiply"
        case .scaleShift: "scale_shift"
        case .activation(.relu): "relu"
        case .activation(.clip): "clip"
        case .activation(.sigmoid): "sigmoid"
        case .activation(.hardSigmoid): "hard_sigmoid"
        case .activation(.hardSwish): "hard_swish"
        case .activation(.silu): "silu"
        case .activation(.gelu): "gelu"
        case .maxPool: "max_pool"
        case .averagePool: "average_pool"
        case .globalAveragePool: "global_average_pool"
        case .concatenate: "concatenate"
        case .gatherChannels: "gather_channels"
        case .flatten: "flatten"
        }
    }
}
