import Foundation
import PictureDrawing
import Testing

@testable import Inference

extension Preprocessing {
    /// Leaves the values 0...255 of the resized picture as they are.
    static func plain(
        _ width: Int, _ height: Int, resize: Resize = .stretch, resizeSide: Int? = nil, scaledDecoding: Bool = false
    ) -> Preprocessing {
        Preprocessing(
            width: width, height: height, resize: resize, resizeSide: resizeSide, mean: [0, 0, 0], std: [1, 1, 1],
            scaledDecoding: scaledDecoding)
    }
}

/// The three channels of each pixel, row by row. Checks that the fourth float of a pixel is 0.
func readPixels(
    _ file: Data, _ preprocessing: Preprocessing, limits: ImageLimits = .init(), reader: ImageReader? = nil
) throws -> [Float] {
    let reader = reader ?? ImageReader(preprocessing: preprocessing, limits: limits)
    let pixels = preprocessing.width * preprocessing.height
    var tensor = [Float](repeating: .nan, count: pixels * 4)
    try tensor.withUnsafeMutableBufferPointer { tensor in
        try file.withUnsafeBytes { bytes in
            try reader.read(bytes, into: tensor.baseAddress.unsafelyUnwrapped, pixelStride: 4)
        }
    }
    return (0..<pixels).flatMap { pixel in
        if tensor[4 * pixel + 3] != 0 { Issue.record("the fourth float of pixel \(pixel) is \(tensor[4 * pixel + 3])") }
        return [tensor[4 * pixel], tensor[4 * pixel + 1], tensor[4 * pixel + 2]]
    }
}

extension JPEGDecoder {
    /// The rows that the decoder gives when asked for a part, and which part that is; all rows where it is nil.
    func decode(
        _ file: Data, eighths: Int, part wanted: PicturePart? = nil, maximumPixels: Int = .max
    ) throws -> (part: PicturePart, pixels: [UInt8]) {
        try file.withUnsafeBytes { bytes in
            let header = try JPEGHeader(bytes, maximumScans: 100)
            guard header.width * header.height <= maximumPixels else {
                throw InferenceError(.imageTooLarge, "for a test")
            }
            let size = try open(bytes, header: header, eighths: eighths, maximumScans: 100, deadline: .max)
            var part = PicturePart(columns: 0..<size.width, rows: 0..<size.height)
            if let wanted { part = try select(wanted) }
            let stride = 4 * part.columns.count
            var pixels = [UInt8](repeating: 0, count: stride * part.rows.count)
            try pixels.withUnsafeMutableBufferPointer {
                try readRows(into: $0.baseAddress.unsafelyUnwrapped, stride: stride, count: part.rows.count)
            }
            try finish()
            return (part, pixels)
        }
    }
}

/// Where the first marker of this kind begins.
func place(ofMarker kind: UInt8, in file: [UInt8]) -> Int? {
    file.indices.dropLast().first { file[$0] == 0xFF && file[$0 + 1] == kind }
}

/// The picture's own bytes as floats.
func pixels(of picture: Picture) -> [Float] { picture.pixels.map(Float.init) }

/// Mean and largest difference between two runs of values.
func difference(_ a: some Collection<Float>, _ b: some Collection<Float>) -> (mean: Float, most: Float) {
    precondition(a.count == b.count)
    var (sum, most) = (0.0, Float(0))
    for (x, y) in zip(a, b) {
        sum += Double(abs(x - y))
        most = max(most, abs(x - y))
    }
    return (Float(sum / Double(a.count)), most)
}

/// The code of the error that reading the file ends with; nil where it succeeds.
func errorCode(
    _ file: Data, _ preprocessing: Preprocessing = .plain(8, 8), limits: ImageLimits = .init(),
    reader: ImageReader? = nil
) -> InferenceError.Code? {
    do {
        _ = try readPixels(file, preprocessing, limits: limits, reader: reader)
        return nil
    } catch let error as InferenceError {
        return error.code
    } catch {
        Issue.record(error)
        return nil
    }
}
