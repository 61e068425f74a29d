import Foundation
import Inference
import PictureDrawing

/// How long a JPEG takes to become a normalised tensor of 224×224.
enum ImageBenchmark {
    struct Row {
        var name: String
        var timing: Timing
    }

    /// A photograph's usual sizes, one core; the large one is decoded at a part of its size.
    static func run() throws -> [Row] {
        try [(500, 375), (4000, 3000)].map { width, height in
            let file = try jpeg(width: width, height: height)
            let preprocessing = Preprocessing(width: 224, height: 224, normalisation: .torchvision)
            let reader = ImageReader(preprocessing: preprocessing)
            let tensor = UnsafeMutablePointer<Float>.allocate(capacity: 224 * 224 * Encoder.inputPixelStride)
            defer { tensor.deallocate() }
            let timing = try Timing(seconds: 1) {
                try file.withUnsafeBytes { bytes in
                    try reader.read(bytes, into: tensor, pixelStride: Encoder.inputPixelStride)
                }
            }
            return Row(name: "decode, resize \(width)×\(height)", timing: timing)
        }
    }

    /// A drawn picture of that size.
    static func jpeg(width: Int, height: Int) throws -> Data {
        try JPEGFile().write(SampleScene.beach.draw(width: width, height: height))
    }
}
