/// A tensor of an ONNX file: a weight or a constant. Raw and external data is decoded only when it is asked for.
struct ONNXTensor {
    /// TensorProto.DataType.
    enum ElementType: Int64 {
        case float32 = 1
        case uint8 = 2
        case int8 = 3
        case uint16 = 4
        case int16 = 5
        case int32 = 6
        case int64 = 7
        case boolean = 9
        case float16 = 10
        case float64 = 11
        case uint32 = 12
        case uint64 = 13
        case bfloat16 = 16

        var size: Int {
            switch self {
            case .uint8, .int8, .boolean: 1
            case .uint16, .int16, .float16, .bfloat16: 2
            case .float32, .int32, .uint32: 4
            case .int64, .float64, .uint64: 8
            }
        }

        var isFloat: Bool {
            switch self {
            case .float32, .float16, .float64, .bfloat16: true
            default: false
            }
        }
    }

    private enum Storage {
        case raw(MappedBytes)
        case external([String: String])
        case floats([Float])
        case integers([Int64])
    }

    static let maximumRank = 8
    static let maximumElements = 1 << 31

    var name = ""
    private(set) var type: ElementType = .float32
    private(set) var shape: [Int] = []
    private var storage: Storage = .floats([])

    init(_ bytes: MappedBytes) throws(ModelError) {
        var dimensions: [Int64] = []
        var typeNumber: Int64 = 0
        var floats: [Float] = []
        var integers: [Int64] = []
        var raw: MappedBytes?
        var external: [String: String] = [:]
        var isExternal = false
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: try field.appendIntegers(to: &dimensions)
            case 2: typeNumber = try field.integer()
            case 4: try field.appendFloats(to: &floats)
            case 5, 7, 11: try field.appendIntegers(to: &integers)
            case 8: name = try field.string()
            case 9: raw = try field.message()
            case 10: try field.appendDoubles(to: &floats)
            case 13:
                let (key, value) = try Self.entry(field.message())
                external[key] = value
            case 14: isExternal = try field.integer() == 1
            default: break
            }
        }
        guard let type = ElementType(rawValue: typeNumber) else {
            throw ModelError("tensor \"\(name)\": elements of type \(typeNumber) are not supported")
        }
        self.type = type
        guard dimensions.count <= Self.maximumRank else { throw ModelError("tensor \"\(name)\": too many dimensions") }
        // Zeros are left out at first, so that no product of the other dimensions can overflow later.
        var product = 1
        for dimension in dimensions {
            guard dimension >= 0, dimension <= Self.maximumElements else {
                throw ModelError("tensor \"\(name)\": a dimension of \(dimension)")
            }
            product *= max(Int(dimension), 1)
            guard product <= Self.maximumElements else { throw ModelError("tensor \"\(name)\" is too large") }
        }
        let count = dimensions.contains(0) ? 0 : product
        shape = dimensions.map(Int.init)

        if isExternal {
            storage = .external(external)
            return
        }
        let actual: Int
        if let raw {
            storage = .raw(raw)
            actual = raw.count / type.size
            guard raw.count % type.size == 0 else { throw ModelError("tensor \"\(name)\": cut-off data") }
        } else if type == .float32 || type == .float64 {
            storage = .floats(floats)
            actual = floats.count
        } else {
            storage = .integers(integers)
            actual = integers.count
        }
        guard actual == count else {
            throw ModelError("tensor \"\(name)\": \(actual) values for a shape of \(count)")
        }
    }

    private static func entry(_ bytes: MappedBytes) throws(ModelError) -> (String, String) {
        var key = ""
        var value = ""
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            if field.number == 1 { key = try field.string() }
            if field.number == 2 { value = try field.string() }
        }
        return (key, value)
    }

    var count: Int { shape.reduce(1, *) }

    /// The values. Floats of all sizes become 32-bit floats, integers and booleans 64-bit integers.
    func decoded(external data: ONNXExternalData) throws(ModelError) -> ConstantTensor {
        let elements: ConstantTensor.Elements
        switch storage {
        case .floats(let floats): elements = .floats(floats)
        case .integers(let integers) where type == .float16:
            elements = .floats(integers.map { Half.widen(UInt16(truncatingIfNeeded: $0)) })
        case .integers(let integers) where type == .bfloat16:
            elements = .floats(integers.map { Float(bitPattern: UInt32(UInt16(truncatingIfNeeded: $0)) << 16) })
        case .integers(let integers): elements = .integers(integers.map { .known($0) })
        case .raw(let bytes): elements = decode(bytes)
        case .external(let entries):
            elements = decode(try data.bytes(entries, expected: count * type.size, tensor: name))
        }
        return ConstantTensor(type: type, shape: shape, elements: elements)
    }

    private func decode(_ bytes: MappedBytes) -> ConstantTensor.Elements {
        bytes.withBytes { raw in
            func integers<Integer: FixedWidthInteger & BitwiseCopyable>(_: Integer.Type) -> ConstantTensor.Elements {
                .integers(elements(raw, Integer.self) { .known(Int64(truncatingIfNeeded: $0)) })
            }
            switch type {
            case .float32:
                return .floats(
                    [Float](unsafeUninitializedCapacity: raw.count / 4) { buffer, initialized in
                        UnsafeMutableRawBufferPointer(buffer).copyMemory(from: raw)
                        initialized = raw.count / 4
                    })
            case .float16: return .floats(elements(raw, UInt16.self, Half.widen))
            case .bfloat16: return .floats(elements(raw, UInt16.self) { Float(bitPattern: UInt32($0) << 16) })
            case .float64: return .floats(elements(raw, UInt64.self) { Float(Double(bitPattern: $0)) })
            case .uint8, .boolean: return integers(UInt8.self)
            case .int8: return integers(Int8.self)
            case .uint16: return integers(UInt16.self)
            case .int16: return integers(Int16.self)
            case .int32: return integers(Int32.self)
            case .uint32: return integers(UInt32.self)
            case .int64, .uint64: return integers(Int64.self)
            }
        }
    }

    private func elements<Raw: FixedWidthInteger & BitwiseCopyable, Element>(
        _ raw: UnsafeRawBufferPointer, _: Raw.Type, _ convert: (Raw) -> Element
    ) -> [Element] {
        let size = MemoryLayout<Raw>.size
        return (0..<raw.count / size).map {
            convert(Raw(littleEndian: raw.loadUnaligned(fromByteOffset: $0 * size, as: Raw.self)))
        }
    }
}
