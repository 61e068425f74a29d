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
        try [(500, 375), (4000, 3000)].flatMap { width, height in
            let file = try jpeg(width: width, height: height)
            return try [("resize", Preprocessing.Resize.stretch), ("resize and crop", .shortSideCrop)].map {
                Row(name: "decode, \($0) \(width)×\(height)", timing: try time(file, resize: $1, seconds: 1))
            }
        }
    }

    static func time(_ file: Data, resize: Preprocessing.Resize, seconds: Double) throws -> Timing {
        let preprocessing = Preprocessing(width: 224, height: 224, resize: resize, normalisation: .torchvision)
        let reader = ImageReader(preprocessing: preprocessing)
        let tensor = UnsafeMutablePointer<Float>.allocate(capacity: 224 * 224 * Encoder.inputPixelStride)
        defer { tensor.deallocate() }
        return try Timing(seconds: seconds) {
            try file.withUnsafeBytes { bytes in
                try reader.read(bytes, into: tensor, pixelStride: Encoder.inputPixelStride)
            }
        }
    }

    /// A drawn picture of that size.
    static func jpeg(width: Int, height: Int) throws -> Data {
        try JPEGFile().write(SampleScene.beach.draw(width: width, height: height))
    }
}
