import Foundation

/// Writes safetensors files. The same tensors give the same bytes: they lie sorted by name, the header has one form,
/// and tensors begin at multiples of eight bytes from the file's start (the header is padded with spaces).
package enum SafetensorsWriter {
    package enum Precision: String, Sendable {
        /// All tensors as 32-bit floats.
        case f32
        /// Tensors of two and more dimensions as halves, rounded to the nearest, ties to even. Biases and the like,
        /// which are few, and a tensor with a value beyond a half's range stay 32-bit.
        case f16
    }

    package static func write(
        _ tensors: [String: WeightTensor], precision: Precision, to path: String
    ) throws {
        let names = tensors.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        var header = "{\"__metadata__\":{\"format\":\"pt\"}"
        var types: [Safetensors.ElementType] = []
        var position = 0
        // The larger elements first, so that each tensor is aligned to its elements.
        let ordered = names.sorted {
            elementType(tensors[$0], precision).size > elementType(tensors[$1], precision).size
        }
        for name in ordered {
            guard let tensor = tensors[name] else { continue }
            precondition(tensor.shape.reduce(1, *) == tensor.values.count, "a tensor with too few or too many values")
            let type = elementType(tensor, precision)
            types.append(type)
            let end = position + tensor.values.count * type.size
            let quoted = String(decoding: try JSONEncoder().encode(name), as: UTF8.self)
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            header +=
                ",\(quoted):{\"dtype\":\"\(type.rawValue)\",\"shape\":[\(shape)],\"data_offsets\":[\(position),\(end)]}"
            position = end
        }
        header += "}"
        header += String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)

        guard FileManager.default.createFile(atPath: path, contents: nil),
            let file = FileHandle(forWritingAtPath: path)
        else { throw ModelError("\(path): cannot write: \(MappedFile.lastError())") }
        try file.write(contentsOf: withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) })
        try file.write(contentsOf: Data(header.utf8))
        for (name, type) in zip(ordered, types) {
            guard let tensor = tensors[name] else { continue }
            try file.write(contentsOf: bytes(of: tensor.values, type))
        }
        try file.synchronize()
        try file.close()
    }

    private static func elementType(_ tensor: WeightTensor?, _ precision: Precision) -> Safetensors.ElementType {
        guard let tensor, precision == .f16, tensor.shape.count >= 2,
            tensor.values.allSatisfy({ abs($0) <= Half.greatest })
        else { return .float32 }
        return .float16
    }

    private static func bytes(of values: [Float], _ type: Safetensors.ElementType) -> Data {
        switch type {
        case .float32: values.withUnsafeBytes { Data($0) }
        case .float16: values.map(Half.bits).withUnsafeBytes { Data($0) }
        }
    }
}
