import CPNG

/// Decodes PNG files one after another, alpha over white. An interlaced picture is held whole, others go row by row.
///
/// It holds an unsafe pointer to C's decoder, which it alone frees; both belong to one thread.
final class PNGDecoder: PixelRows {
    /// A row of more pixels is refused: it alone would take megabytes.
    static let maximumSide = 1_000_000

    private let decoder: OpaquePointer
    private let picture = ScratchBuffer<UInt8>()
    private var header = kaption_png_header()
    private var nextRow = 0

    init() throws(InferenceError) {
        guard let decoder = kaption_png_decoder_make() else { throw InferenceError(.internal, "out of memory") }
        self.decoder = decoder
    }

    deinit { kaption_png_decoder_free(decoder) }

    /// Width and height by the file's first chunk, whatever its checksum; nil where it is not IHDR.
    static func sides(_ bytes: UnsafeRawBufferPointer) -> (width: Int, height: Int)? {
        guard bytes.count >= 24, bytes[12..<16].elementsEqual("IHDR".utf8) else { return nil }
        func long(_ offset: Int) -> Int { bytes[offset..<(offset + 4)].reduce(0) { $0 << 8 | Int($1) } }
        return (long(16), long(20))
    }

    /// Starts decoding. `bytes` must stay until `finish` or an error.
    func open(
        _ bytes: UnsafeRawBufferPointer, deadline: UInt64
    ) throws(InferenceError) -> (size: DecodedSize, orientation: Orientation) {
        nextRow = 0
        try check(
            kaption_png_open(decoder, bytes.baseAddress, bytes.count, UInt32(Self.maximumSide), deadline, &header))
        let orientation = Orientation(tiff: UnsafeRawBufferPointer(start: header.exif, count: header.exif_count))
        let (width, height) = (Int(header.width), Int(header.height))
        if header.is_interlaced != 0 {
            try picture.reserve(width * height * 4)
            try check(kaption_png_read_interlaced(decoder, picture.base, width * 4))
        }
        let size = DecodedSize(
            width: width, height: height, horizontalExtent: Double(width), verticalExtent: Double(height))
        return (size, orientation)
    }

    /// All of it: nothing is gained by leaving out what was unpacked anyway.
    func select(_ part: PicturePart) -> PicturePart {
        PicturePart(columns: 0..<Int(header.width), rows: 0..<Int(header.height))
    }

    func readRows(into pixels: UnsafeMutablePointer<UInt8>, stride: Int, count: Int) throws(InferenceError) {
        guard header.is_interlaced != 0 else {
            return try check(kaption_png_read_rows(decoder, pixels, stride, UInt32(count)))
        }
        let rowBytes = Int(header.width) * 4
        for row in 0..<count {
            (pixels + row * stride).update(from: picture.base + (nextRow + row) * rowBytes, count: rowBytes)
        }
        nextRow += count
    }

    func finish() throws(InferenceError) { try check(kaption_png_finish(decoder)) }

    func trim(above bytes: Int) { picture.trim(above: bytes) }

    private func check(_ status: kaption_png_status) throws(InferenceError) {
        guard status != KAPTION_PNG_OK else { return }
        switch status {
        case KAPTION_PNG_TIMEOUT: throw InferenceError(.imageTimeout, "decoding the PNG took too long")
        case KAPTION_PNG_NO_MEMORY: throw InferenceError(.internal, "out of memory for a PNG")
        default:
            throw InferenceError(.imageCorrupt, "damaged PNG: \(String(cString: kaption_png_message(decoder)))")
        }
    }
}
