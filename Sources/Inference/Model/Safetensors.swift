import Foundation

/// A safetensors file: eight bytes of length, a JSON header, then the tensors' bytes. The whole header is checked when
/// the file is opened; a tensor's values are read only when they are asked for.
///
/// Source: https://huggingface.co/docs/safetensors (format).
package struct Safetensors: Sendable {
    enum ElementType: String, Sendable {
        case float32 = "F32"
        case float16 = "F16"

        var size: Int { self == .float32 ? 4 : 2 }
    }

    struct Entry: Sendable {
        var type: ElementType
        var shape: [Int]
        /// Where the bytes lie, counted from the file's start.
        var range: Range<Int>
    }

    static let maximumHeaderBytes = 16 << 20
    static let maximumTensors = 1 << 16
    static let maximumRank = 8

    let entries: [String: Entry]
    private let file: MappedFile

    /// - Throws: `ModelError` where the header is damaged, a tensor is of another type than F32 or F16, or tensors
    ///   overlap, leave gaps or lie outside the file.
    package init(_ file: MappedFile) throws(ModelError) {
        self.file = file
        entries = try file.withBytes { (bytes) throws(ModelError) in try Self.readHeader(bytes) }
    }

    private static func readHeader(_ bytes: UnsafeRawBufferPointer) throws(ModelError) -> [String: Entry] {
        guard bytes.count >= 8 else { throw ModelError("safetensors: shorter than its length field") }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= maximumHeaderBytes, Int(length) <= bytes.count - 8 else {
            throw ModelError("safetensors: a header of \(length) bytes in a file of \(bytes.count)")
        }
        let start = 8 + Int(length)
        let header: JSONValue
        do {
            header = try JSONParser.parse(UnsafeRawBufferPointer(rebasing: bytes[8..<start]))
        } catch {
            throw ModelError("safetensors: header: \(error.message)")
        }
        guard let members = header.objectValue else { throw ModelError("safetensors: the header is no object") }
        guard members.count <= maximumTensors else { throw ModelError("safetensors: \(members.count) tensors") }
        var entries: [String: Entry] = [:]
        for (name, value) in members where name != "__metadata__" {
            entries[name] = try entry(name, value, start: start, end: bytes.count)
        }
        var position = start
        for (name, entry) in entries.sorted(by: {
            ($0.value.range.lowerBound, $0.value.range.upperBound) < (
                $1.value.range.lowerBound, $1.value.range.upperBound
            )
        }) {
            guard entry.range.lowerBound == position else {
                throw ModelError("safetensors: \"\(name)\" overlaps another tensor or leaves a gap before it")
            }
            position = entry.range.upperBound
        }
        guard position == bytes.count else {
            throw ModelError("safetensors: \(bytes.count - position) bytes after the last tensor")
        }
        return entries
    }

    private static func entry(
        _ name: String, _ value: JSONValue, start: Int, end: Int
    ) throws(ModelError) -> Entry {
        func refuse(_ reason: String) -> ModelError { ModelError("safetensors: \"\(name.prefix(256))\": \(reason)") }
        guard let members = value.objectValue, let typeName = members["dtype"]?.stringValue,
            let dimensions = members["shape"]?.arrayValue, let offsets = members["data_offsets"]?.arrayValue
        else { throw refuse("dtype, shape or data_offsets is missing") }
        guard let type = ElementType(rawValue: typeName) else {
            throw refuse("elements of type \(typeName.prefix(16)), not F32 or F16")
        }
        let shape = dimensions.compactMap { $0.integerValue }
        guard shape.count == dimensions.count, shape.count <= maximumRank, shape.allSatisfy({ $0 >= 0 }) else {
            throw refuse("a malformed shape")
        }
        guard offsets.count == 2, let first = offsets[0].integerValue, let last = offsets[1].integerValue,
            first >= 0, last >= first, last <= end - start
        else { throw refuse("data_offsets outside the file") }
        var size = type.size
        for dimension in shape {
            let (product, overflows) = size.multipliedReportingOverflow(by: dimension)
            guard !overflows else { throw refuse("a shape too large") }
            size = product
        }
        guard size == last - first else { throw refuse("\(last - first) bytes for a shape of \(size)") }
        return Entry(type: type, shape: shape, range: start + first..<start + last)
    }

    /// A tensor, widened to 32-bit floats.
    package func tensor(_ name: String) throws(ModelError) -> WeightTensor {
        guard let entry = entries[name] else { throw ModelError("the weights have no tensor \"\(name)\"") }
        let count = entry.range.count / entry.type.size
        let values = file.withBytes { bytes in
            let source = UnsafeRawBufferPointer(rebasing: bytes[entry.range])
            return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
                switch entry.type {
                case .float32:
                    UnsafeMutableRawBufferPointer(buffer).copyMemory(from: source)
                case .float16:
                    for index in 0..<count {
                        buffer[index] = Half.widen(source.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
                    }
                }
                initialized = count
            }
        }
        return WeightTensor(shape: entry.shape, values: values)
    }
}
