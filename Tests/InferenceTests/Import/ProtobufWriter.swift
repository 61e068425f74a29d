import Foundation

/// Writes protobuf messages, as far as ONNX files need them.
struct ProtobufWriter {
    var data = Data()

    static func varint(_ value: UInt64) -> Data {
        var value = value
        var data = Data()
        while value >= 0x80 {
            data.append(UInt8(value & 0x7f) | 0x80)
            value >>= 7
        }
        data.append(UInt8(value))
        return data
    }

    mutating func integer(_ field: Int, _ value: Int64) {
        data += Self.varint(UInt64(field << 3)) + Self.varint(UInt64(bitPattern: value))
    }

    mutating func float(_ field: Int, _ value: Float) {
        data += Self.varint(UInt64(field << 3 | 5)) + withUnsafeBytes(of: value.bitPattern.littleEndian) { Data($0) }
    }

    mutating func bytes(_ field: Int, _ value: Data) {
        data += Self.varint(UInt64(field << 3 | 2)) + Self.varint(UInt64(value.count)) + value
    }

    mutating func string(_ field: Int, _ value: String) { bytes(field, Data(value.utf8)) }

    mutating func message(_ field: Int, _ write: (inout ProtobufWriter) -> Void) {
        var inner = ProtobufWriter()
        write(&inner)
        bytes(field, inner.data)
    }
}
