/// The checks that make a graph from a file safe to plan: every index, size and shape. A graph that passes needs no further
/// check of its structure.
extension Graph {
    static let maximumNodes = 1 << 16
    /// Largest height, width, number of channels or features.
    static let maximumDimension = 1 << 20
    /// Most elements of one value (1 GiB of floats).
    static let maximumElements = 1 << 28

    /// Checks structure and shapes.
    ///
    /// - Parameter weightShape: the shape of a named weight; nil where there is none.
    /// - Returns: the names of the weights that the graph reads.
    @discardableResult
    func validate(weightShape: (String) -> [Int]?) throws(ModelError) -> Set<String> {
        guard !nodes.isEmpty, nodes.count <= Self.maximumNodes else {
            throw ModelError("the encoder has \(nodes.count) nodes; 1 to \(Self.maximumNodes) are possible")
        }
        try Self.checkSize(input, of: "the input")
        guard case .image = input else { throw ModelError("the encoder's input is no image") }
        var shapes = [input]
        var names: Set<String> = []
        for node in nodes {
            try Self.checkSize(node.shape, of: node.label)
            guard node.inputs.allSatisfy({ (0..<shapes.count).contains($0) }) else {
                throw ModelError("\(node.label): reads a value that is not made before it")
            }
            let possible = try node.possibleShapes(inputs: node.inputs.map { shapes[$0] }) {
                (name) throws(ModelError) in
                guard let shape = weightShape(name) else { throw ModelError("\(node.label): no weight \"\(name)\"") }
                names.insert(name)
                return shape
            }
            guard possible.contains(node.shape) else {
                throw ModelError(
                    "\(node.label): makes \(possible.first ?? node.shape), and the graph says \(node.shape)")
            }
            shapes.append(node.shape)
        }
        return names
    }

    /// Elements of the feature, which is the last node's value.
    func featureSize() throws(ModelError) -> Int {
        switch nodes.last?.shape {
        case .vector(let size): return size
        case .image(1, 1, let channels): return channels
        case let shape: throw ModelError("the encoder makes \(shape.map { "\($0)" } ?? "nothing"), not one vector")
        }
    }

    private static func checkSize(_ shape: Shape, of what: String) throws(ModelError) {
        let dimensions: [Int] =
            switch shape {
            case .image(let height, let width, let channels): [height, width, channels]
            case .vector(let features): [features]
            }
        // Three dimensions of at most 2^20 cannot overflow the product.
        guard dimensions.allSatisfy({ (1...maximumDimension).contains($0) }), shape.count <= maximumElements else {
            throw ModelError("\(what): \(shape) is empty or too large")
        }
    }
}

extension Graph.Shape: CustomStringConvertible {
    public var description: String {
        switch self {
        case .image(let height, let width, let channels): "\(height)×\(width)×\(channels)"
        case .vector(let features): "\(features)"
        }
    }

    /// Channels, or features.
    var channels: Int {
        switch self {
        case .image(_, _, let channels): channels
        case .vector(let features): features
        }
    }
}

extension Graph.Node {
    /// Operation and name, for messages.
    var label: String { "\(operation.name) \"\(name.prefix(128))\"" }
}
