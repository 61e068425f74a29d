struct ONNXNode {
    var name = ""
    var operation = ""
    var domain = ""
    /// Names of the values read; an optional one that is left out is empty.
    var inputs: [String] = []
    var outputs: [String] = []
    var attributes: [String: ONNXAttribute] = [:]

    init(_ bytes: MappedBytes) throws(ModelError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: inputs.append(try field.string())
            case 2: outputs.append(try field.string())
            case 3: name = try field.string()
            case 4: operation = try field.string()
            case 5:
                let (name, attribute) = try ONNXAttribute.read(field.message())
                attributes[name] = attribute
            case 7: domain = try field.string()
            default: break
            }
        }
        if name.isEmpty { name = outputs.first ?? "" }
    }

    /// Operator and name, for messages.
    var label: String {
        let prefix = domain.isEmpty || domain == "ai.onnx" ? "" : "\(domain)."
        return "\(prefix)\(operation) \"\(name.prefix(256))\""
    }

    func refused(_ reason: String) -> ModelError { ModelError("operator \(label): \(reason)") }
}

/// One attribute of a node.
enum ONNXAttribute {
    case integer(Int64)
    case float(Float)
    case string(String)
    case tensor(ONNXTensor)
    case integers([Int64])
    case floats([Float])
    /// A graph, strings, a sparse tensor…
    case other

    static func read(_ bytes: MappedBytes) throws(ModelError) -> (String, ONNXAttribute) {
        var name = ""
        var type: Int64 = 0
        var integer: Int64 = 0
        var float: Float = 0
        var string = ""
        var tensor: ONNXTensor?
        var integers: [Int64] = []
        var floats: [Float] = []
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: name = try field.string()
            case 2: float = try field.float()
            case 3: integer = try field.integer()
            case 4: string = (try? field.string()) ?? ""
            case 5: tensor = try ONNXTensor(field.message())
            case 7: try field.appendFloats(to: &floats)
            case 8: try field.appendIntegers(to: &integers)
            case 20: type = try field.integer()
            default: break
            }
        }
        // AttributeProto.AttributeType.
        switch type {
        case 1: return (name, .float(float))
        case 2: return (name, .integer(integer))
        case 3: return (name, .string(string))
        case 4:
            guard let tensor else { throw ModelError("damaged ONNX file: attribute \"\(name)\" has no tensor") }
            return (name, .tensor(tensor))
        case 6: return (name, .floats(floats))
        case 7: return (name, .integers(integers))
        default: return (name, .other)
        }
    }
}

extension ONNXNode {
    private func wrong(_ name: String) -> ModelError { refused("attribute \"\(name)\" has the wrong type") }

    func integer(_ name: String, default value: Int64) throws(ModelError) -> Int64 {
        switch attributes[name] {
        case nil: return value
        case .integer(let integer): return integer
        default: throw wrong(name)
        }
    }

    func float(_ name: String, default value: Float) throws(ModelError) -> Float {
        switch attributes[name] {
        case nil: return value
        case .float(let float): return float
        default: throw wrong(name)
        }
    }

    func string(_ name: String, default value: String) throws(ModelError) -> String {
        switch attributes[name] {
        case nil: return value
        case .string(let string): return string
        default: throw wrong(name)
        }
    }

    /// Nil where the attribute is absent.
    func integers(_ name: String) throws(ModelError) -> [Int64]? {
        switch attributes[name] {
        case nil: return nil
        case .integers(let integers): return integers
        default: throw wrong(name)
        }
    }
}
