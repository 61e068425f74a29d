/// One PNG file.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > PNGChunks.signature.count else { return -1 }
    var file = [UInt8](UnsafeBufferPointer(start: bytes, count: count))
    file.replaceSubrange(0..<PNGChunks.signature.count, with: PNGChunks.signature)
    file.withUnsafeBytes { ImageTarget.shared.read($0) }
    return 0
}

@_silgen_name("LLVMFuzzerMutate")
private func mutate(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ capacity: Int) -> Int

/// libFuzzer's own mutations, after which three of four files get their chunks' checksums put right: others never come
/// further than the first check of one.
@_cdecl("LLVMFuzzerCustomMutator")
public func customMutator(
    _ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ capacity: Int, _ seed: CUnsignedInt
) -> Int {
    let changed = mutate(bytes, count, capacity)
    if seed % 4 != 0 { PNGChunks.mendChecksums(of: UnsafeMutableBufferPointer(start: bytes, count: changed)) }
    return changed
}

/// What a PNG file consists of, as far as mending it needs (ISO/IEC 15948, 5).
enum PNGChunks {
    static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    static func mendChecksums(of file: UnsafeMutableBufferPointer<UInt8>) {
        var position = signature.count
        while position + 12 <= file.count {
            let length = file[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
            guard length <= file.count - position - 12 else { return }
            let end = position + 8 + length
            let checksum = checksum(file[(position + 4)..<end])
            for byte in 0..<4 { file[end + byte] = UInt8(truncatingIfNeeded: checksum >> (24 - 8 * byte)) }
            position = end + 4
        }
    }

    private static func checksum(_ bytes: Slice<UnsafeMutableBufferPointer<UInt8>>) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ ($0 >> 8) }
    }

    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xEDB8_8320 }
    }
}
