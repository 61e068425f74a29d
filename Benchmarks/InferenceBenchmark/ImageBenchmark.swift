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
            return Row(name: "decode, resize \(width)×\(height)", timing: try time(file, seconds: 1))
        }
    }

    static func time(_ file: Data, seconds: Double) throws -> Timing {
        let preprocessing = Preprocessing(width: 224, height: 224, normalisation: .torchvision)
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
