/// Walks over the fields of one protobuf message. Every length is checked against the bytes at hand; nothing is copied, and a
/// nested message is a slice that gets a reader of its own, so hostile nesting costs nothing.
///
/// Source: Protocol Buffers, "Encoding" (wire types 0, 1, 2, 5; groups are refused).
struct ProtobufReader {
    enum Value {
        case varint(UInt64)
        case fixed64(UInt64)
        case bytes(MappedBytes)
        case fixed32(UInt32)
    }

    struct Field {
        var number: Int
        var value: Value
    }

    private let bytes: MappedBytes
    private var position = 0

    init(_ bytes: MappedBytes) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    private func damaged(_ what: String) -> ModelError {
        ModelError("damaged ONNX file: \(what) at byte \(bytes.range.lowerBound + position)")
    }

    /// The next field, or nil at the message's end.
    mutating func next() throws(ModelError) -> Field? {
        guard position < bytes.count else { return nil }
        let tag = try varint()
        let number = tag >> 3
        guard number >= 1, number < 1 << 29 else { throw damaged("a field number out of range") }
        let value: Value
        switch tag & 7 {
        case 0: value = .varint(try varint())
        case 1: value = .fixed64(try fixed(UInt64.self))
        case 2:
            let length = try varint()
            guard length <= UInt64(bytes.count - position),
                let slice = bytes.slice(position..<position + Int(length))
            else { throw damaged("a length of \(length) beyond the end") }
            position += Int(length)
            value = .bytes(slice)
        case 5: value = .fixed32(try fixed(UInt32.self))
        default: throw damaged("an unknown wire type")
        }
        return Field(number: Int(number), value: value)
    }

    mutating func varint() throws(ModelError) -> UInt64 {
        var result: UInt64 = 0
        for shift in stride(from: 0, to: 70, by: 7) {
            guard position < bytes.count else { throw damaged("a number that does not end") }
            let byte = bytes.withBytes { $0[position] }
            position += 1
            if shift == 63, byte > 1 { break }
            result |= UInt64(byte & 0x7f) << UInt64(shift)
            if byte < 0x80 { return result }
        }
        throw damaged("a number of more than 64 bits")
    }

    mutating func fixed<Integer: FixedWidthInteger & BitwiseCopyable>(_ type: Integer.Type) throws(ModelError)
        -> Integer
    {
        let size = MemoryLayout<Integer>.size
        guard bytes.count - position >= size else { throw damaged("a number that does not end") }
        let value = bytes.withBytes { $0.loadUnaligned(fromByteOffset: position, as: type) }
        position += size
        return Integer(littleEndian: value)
    }
}

extension ProtobufReader.Field {
    private func wrongType() -> ModelError { ModelError("damaged ONNX file: field \(number) has the wrong type") }

    func message() throws(ModelError) -> MappedBytes {
        guard case .bytes(let bytes) = value else { throw wrongType() }
        return bytes
    }

    func string() throws(ModelError) -> String {
        let bytes = try message()
        guard bytes.count <= 1 << 16 else { throw ModelError("damaged ONNX file: a name of \(bytes.count) bytes") }
        guard let text = bytes.withBytes({ String(validating: $0, as: UTF8.self) }) else {
            throw ModelError("damaged ONNX file: a name that is not UTF-8")
        }
        return text
    }

    func integer() throws(ModelError) -> Int64 {
        guard case .varint(let bits) = value else { throw wrongType() }
        return Int64(bitPattern: bits)
    }

    func float() throws(ModelError) -> Float {
        guard case .fixed32(let bits) = value else { throw wrongType() }
        return Float(bitPattern: bits)
    }

    /// The elements of a repeated number, packed or a single one of them.
    func appendIntegers(to list: inout [Int64]) throws(ModelError) {
        switch value {
        case .varint(let bits): list.append(Int64(bitPattern: bits))
        case .bytes(let packed):
            var reader = ProtobufReader(packed)
            while !reader.isAtEnd { list.append(Int64(bitPattern: try reader.varint())) }
        default: throw wrongType()
        }
    }

    func appendFloats(to list: inout [Float]) throws(ModelError) {
        switch value {
        case .fixed32(let bits): list.append(Float(bitPattern: bits))
        case .bytes(let packed):
            var reader = ProtobufReader(packed)
            while !reader.isAtEnd { list.append(Float(bitPattern: try reader.fixed(UInt32.self))) }
        default: throw wrongType()
        }
    }

    func appendDoubles(to list: inout [Float]) throws(ModelError) {
        switch value {
        case .fixed64(let bits): list.append(Float(Double(bitPattern: bits)))
        case .bytes(let packed):
            var reader = ProtobufReader(packed)
            while !reader.isAtEnd { list.append(Float(Double(bitPattern: try reader.fixed(UInt64.self)))) }
        default: throw wrongType()
        }
    }
}
