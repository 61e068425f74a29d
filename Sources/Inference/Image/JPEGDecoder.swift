import CJPEG

/// Decodes JPEG files one after another.
///
/// It holds an unsafe pointer to C's decoder, which it alone frees; both belong to one thread.
final class JPEGDecoder: PixelRows {
    private let decoder: OpaquePointer

    /// - Parameter isLibjpegAlone: entropy codes are not ours to decode: what tests compare with.
    init(isLibjpegAlone: Bool = false) throws(InferenceError) {
        guard let decoder = kaption_jpeg_decoder_make() else { throw InferenceError(.internal, "out of memory") }
        if isLibjpegAlone { kaption_jpeg_leave_all_to_libjpeg(decoder) }
        self.decoder = decoder
    }

    deinit { kaption_jpeg_decoder_free(decoder) }

    /// Starts decoding at `eighths` ÷ 8 of the full size. `bytes` must stay until `finish` or an error.
    func open(
        _ bytes: UnsafeRawBufferPointer, header: JPEGHeader, eighths: Int, maximumScans: Int, deadline: UInt64
    ) throws(InferenceError) -> DecodedSize {
        let scans = Int32(clamping: maximumScans)
        try check(kaption_jpeg_open(decoder, bytes.baseAddress, bytes.count, scans, deadline))
        var (width, height) = (UInt32(0), UInt32(0))
        try check(kaption_jpeg_start(decoder, Int32(eighths), &width, &height))
        let size = Self.decodedSize(width: header.width, height: header.height, eighths: eighths)
        guard size.width == Int(width), size.height == Int(height) else {
            throw InferenceError(.imageCorrupt, "the JPEG's headers contradict each other")
        }
        return size
    }

    func select(_ part: PicturePart) throws(InferenceError) -> PicturePart {
        var (column, width) = (UInt32(part.columns.lowerBound), UInt32(part.columns.count))
        var row = UInt32(part.rows.lowerBound)
        try check(kaption_jpeg_select(decoder, &column, &width, &row))
        return PicturePart(columns: Int(column)..<Int(column + width), rows: Int(row)..<part.rows.upperBound)
    }

    func readRows(into pixels: UnsafeMutablePointer<UInt8>, stride: Int, count: Int) throws(InferenceError) {
        try check(kaption_jpeg_read_rows(decoder, pixels, stride, UInt32(count)))
    }

    func finish() throws(InferenceError) { try check(kaption_jpeg_finish(decoder)) }

    static func decodedSize(width: Int, height: Int, eighths: Int) -> DecodedSize {
        DecodedSize(
            width: (width * eighths + 7) / 8, height: (height * eighths + 7) / 8,
            horizontalExtent: Double(width * eighths) / 8, verticalExtent: Double(height * eighths) / 8)
    }

    private func check(_ status: kaption_jpeg_status) throws(InferenceError) {
        guard status != KAPTION_JPEG_OK else { return }
        let words = String(cString: kaption_jpeg_message(decoder))
        switch status {
        case KAPTION_JPEG_UNSUPPORTED: throw InferenceError(.imageUnsupported, "unsupported JPEG: \(words)")
        case KAPTION_JPEG_TIMEOUT: throw InferenceError(.imageTimeout, "decoding the JPEG took too long")
        case KAPTION_JPEG_TOO_MANY_SCANS: throw InferenceError(.imageTooLarge, "the JPEG has \(words)")
        case KAPTION_JPEG_NO_MEMORY: throw InferenceError(.internal, "out of memory for a JPEG")
        default: throw InferenceError(.imageCorrupt, "damaged JPEG: \(words)")
        }
    }
}
