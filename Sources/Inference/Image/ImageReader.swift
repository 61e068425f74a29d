import Foundation

/// Turns an image file's bytes into an encoder's input. One a thread: it owns its scratch memory, which it keeps from
/// image to image unless one needed much.
///
/// JPEG (8-bit, Huffman, baseline or progressive; grey, RGB, YCbCr, CMYK, YCCK) and PNG (all kinds, alpha over white), known
/// by their first bytes, not by a name. Exif's orientation is applied.
public final class ImageReader {
    private let preprocessing: Preprocessing
    private let limits: ImageLimits
    private let resampler = Resampler()
    private var jpeg: JPEGDecoder?
    private var png: PNGDecoder?

    /// - Precondition: `preprocessing.validate()` does not throw.
    public init(preprocessing: Preprocessing, limits: ImageLimits = .init()) {
        do { try preprocessing.validate() } catch { preconditionFailure(error.message) }
        self.preprocessing = preprocessing
        self.limits = limits
    }

    /// Decodes, orients, resizes and normalises `bytes` into `tensor`: `height` × `width` × `pixelStride` (at least 3)
    /// floats, of which the first three of each pixel are its channels and the others are set to 0. After an error the
    /// tensor holds no picture.
    ///
    /// - Throws: `image_unsupported` for what is no JPEG or PNG, or a kind of them that is not supported; `image_corrupt`
    ///   where picture data is missing or damaged; `image_too_large` for bytes, pixels or scans beyond the limits, before
    ///   memory is taken for them; `image_timeout`; `internal` when memory is out.
    public func read(
        _ bytes: UnsafeRawBufferPointer, into tensor: UnsafeMutablePointer<Float>, pixelStride: Int
    ) throws(InferenceError) {
        precondition(pixelStride >= 3)
        guard bytes.count <= limits.maximumBytes else {
            throw InferenceError(
                .imageTooLarge, "the file has \(bytes.count) bytes; at most \(limits.maximumBytes) are allowed")
        }
        defer {
            resampler.trim()
            png?.trim(above: 0)
        }
        let writer = TensorWriter(tensor: tensor, pixelStride: pixelStride, preprocessing: preprocessing)
        let deadline = Self.now() &+ limits.deadline.nanoseconds
        switch ImageFormat(bytes) {
        case .jpeg: try readJPEG(bytes, deadline, into: writer)
        case .png: try readPNG(bytes, deadline, into: writer)
        case nil:
            throw InferenceError(
                .imageUnsupported, bytes.isEmpty ? "the file is empty" : "the file is neither a JPEG nor a PNG")
        }
    }

    private func readJPEG(
        _ bytes: UnsafeRawBufferPointer, _ deadline: UInt64, into tensor: TensorWriter
    ) throws(InferenceError) {
        let header = try JPEGHeader(bytes, maximumScans: limits.maximumScans)
        try checkPixels(header.width, header.height)
        let geometry = ResizeGeometry(
            width: header.width, height: header.height, orientation: header.orientation, preprocessing: preprocessing)
        let eighths =
            preprocessing.scaledDecoding ? geometry.eighths(width: header.width, height: header.height) : 8
        let decoder: JPEGDecoder
        if let jpeg { decoder = jpeg } else { decoder = try JPEGDecoder() }
        jpeg = decoder
        let size = try decoder.open(
            bytes, header: header, eighths: eighths, maximumScans: limits.maximumScans, deadline: deadline)
        try resampler.resample(decoder, size: size, geometry: geometry, into: tensor)
        try decoder.finish()
    }

    private func readPNG(
        _ bytes: UnsafeRawBufferPointer, _ deadline: UInt64, into tensor: TensorWriter
    ) throws(InferenceError) {
        guard let sides = PNGDecoder.sides(bytes) else {
            throw InferenceError(.imageCorrupt, "damaged PNG: it does not begin with a header")
        }
        try checkPixels(sides.width, sides.height)
        guard max(sides.width, sides.height) <= PNGDecoder.maximumSide else {
            throw InferenceError(.imageTooLarge, "a side of the PNG is above \(PNGDecoder.maximumSide) pixels")
        }
        let decoder: PNGDecoder
        if let png { decoder = png } else { decoder = try PNGDecoder() }
        png = decoder
        let (size, orientation) = try decoder.open(bytes, deadline: deadline)
        let geometry = ResizeGeometry(
            width: size.width, height: size.height, orientation: orientation, preprocessing: preprocessing)
        try resampler.resample(decoder, size: size, geometry: geometry, into: tensor)
        try decoder.finish()
    }

    private func checkPixels(_ width: Int, _ height: Int) throws(InferenceError) {
        let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
        guard !overflow, pixels <= limits.maximumPixels else {
            throw InferenceError(
                .imageTooLarge,
                "the picture has \(width) × \(height) pixels; at most \(limits.maximumPixels) are allowed")
        }
    }

    /// Nanoseconds of the clock that the decoders look at: the thread's own time, so that a machine that is busy or was
    /// asleep condemns no image.
    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// The formats that are read, by their signatures.
enum ImageFormat {
    case jpeg, png

    init?(_ bytes: UnsafeRawBufferPointer) {
        if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .png
        } else {
            return nil
        }
    }
}

extension Duration {
    /// At least 0, at most what half of `UInt64` holds.
    fileprivate var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(min(seconds, 4_000_000_000)) * 1_000_000_000 + UInt64(attoseconds) / 1_000_000_000
    }
}
