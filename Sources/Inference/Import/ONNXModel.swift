/// The parts of an ONNX file that an import reads. Subgraphs (of `If`, `Loop`, `Scan`) are not read: no operator that has one is supported.
///
/// Source: onnx.proto, IR versions 6 to 13.
struct ONNXModel {
    static let supportedOpsets = 11...21
    static let maximumNodes = 1 << 17

    var opset: Int
    var graph: ONNXGraph

    init(file: MappedFile) throws(ModelError) {
        var opset: Int?
        var graph: ONNXGraph?
        var reader = ProtobufReader(file.bytes)
        while let field = try reader.next() {
            switch field.number {
            case 7:
                guard graph == nil else { throw ModelError("damaged ONNX file: two graphs") }
                graph = try ONNXGraph(field.message())
            case 8:
                var domain = ""
                var version: Int64 = 0
                var entry = ProtobufReader(try field.message())
                while let part = try entry.next() {
                    if part.number == 1 { domain = try part.string() }
                    if part.number == 2 { version = try part.integer() }
                }
                if domain.isEmpty || domain == "ai.onnx" { opset = Int(clamping: version) }
            default: break
            }
        }
        guard let graph, let opset else { throw ModelError("not an ONNX model: it has no graph or no opset") }
        guard Self.supportedOpsets.contains(opset) else {
            throw ModelError(
                "ONNX opset \(opset) is not supported; export with opset_version=\(Self.supportedOpsets.lowerBound) to \(Self.supportedOpsets.upperBound)"
            )
        }
        self.opset = opset
        self.graph = graph
    }
}

struct ONNXGraph {
    var nodes: [ONNXNode] = []
    var initializers: [String: ONNXTensor] = [:]
    var inputs: [ONNXValueInfo] = []
    var outputs: [ONNXValueInfo] = []

    init(_ bytes: MappedBytes) throws(ModelError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1:
                guard nodes.count < ONNXModel.maximumNodes else {
                    throw ModelError("the ONNX graph has too many nodes")
                }
                nodes.append(try ONNXNode(field.message()))
            case 5:
                let tensor = try ONNXTensor(field.message())
                guard initializers.updateValue(tensor, forKey: tensor.name) == nil else {
                    throw ModelError("damaged ONNX file: two initializers \"\(tensor.name)\"")
                }
            case 11: inputs.append(try ONNXValueInfo(field.message()))
            case 12: outputs.append(try ONNXValueInfo(field.message()))
            case 15: throw ModelError("sparse initializers are not supported")
            default: break
            }
        }
    }
}

/// A graph's input or output.
struct ONNXValueInfo {
    enum Dimension: Equatable {
        case fixed(Int64)
        case symbolic(String)
    }

    var name = ""
    /// Nil where the file gives none.
    var shape: [Dimension]?

    init(_ bytes: MappedBytes) throws(ModelError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            if field.number == 1 { name = try field.string() }
            if field.number == 2, let tensor = try Self.find(1, in: field.message()) {
                shape = try Self.find(2, in: tensor).map { (message) throws(ModelError) in try Self.dimensions(message)
                }
            }
        }
    }

    /// The last nested message with a field number.
    private static func find(_ number: Int, in bytes: MappedBytes) throws(ModelError) -> MappedBytes? {
        var found: MappedBytes?
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            if field.number == number { found = try field.message() }
        }
        return found
    }

    private static func dimensions(_ bytes: MappedBytes) throws(ModelError) -> [Dimension] {
        var dimensions: [Dimension] = []
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            guard field.number == 1 else { continue }
            var dimension = Dimension.symbolic("")
            var parts = ProtobufReader(try field.message())
            while let part = try parts.next() {
                if part.number == 1 { dimension = .fixed(try part.integer()) }
                if part.number == 2 { dimension = .symbolic(try part.string()) }
            }
            dimensions.append(dimension)
        }
        return dimensions
    }
}
