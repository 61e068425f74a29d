import Foundation
import PictureDrawing
import Testing

@testable import Inference

@Suite struct PreprocessingTests {
    private func decoded(_ json: String) throws -> Preprocessing {
        try JSONDecoder().decode(Preprocessing.self, from: Data(json.utf8))
    }

    @Test("JSON as a model's configuration has it; what is absent has a default") func json() throws {
        let least = try decoded(
            #"{"width": 224, "height": 192, "mean": [128, 127, 126], "std": [64, 65, 66.5], "file": "x"}"#)
        #expect(least == Preprocessing(width: 224, height: 192, mean: [128, 127, 126], std: [64, 65, 66.5]))
        let whole = Preprocessing(
            width: 10, height: 12, resize: .shortSideCrop, resizeSide: 14, channels: .bgr, mean: [1, 2, 3],
            std: [4, 5, 6], scaledDecoding: false)
        let text = try JSONEncoder().encode(whole)
        #expect(try JSONDecoder().decode(Preprocessing.self, from: text) == whole)
        let keys = try #require(JSONSerialization.jsonObject(with: text) as? [String: Any]).keys.sorted()
        #expect(
            keys == ["channels", "height", "mean", "resize", "resize_side", "scaled_decoding", "std", "width"])
        let named = try decoded(#"{"width": 8, "height": 8, "normalisation": "caffe", "resize": "short-side-crop"}"#)
        #expect(named == Preprocessing(width: 8, height: 8, resize: .shortSideCrop, normalisation: .caffe))
        #expect(throws: DecodingError.self) { try decoded(#"{"width": 8, "height": 8, "mean": [1, 2, 3]}"#) }
        #expect(throws: DecodingError.self) {
            try decoded(#"{"width": 8, "height": 8, "normalisation": "tf", "mean": [1, 2, 3], "std": [1, 1, 1]}"#)
        }
    }

    @Test("What makes no sense is refused with the reason") func validation() throws {
        let sound = Preprocessing.plain(224, 224)
        #expect(throws: Never.self) { try sound.validate() }
        func refused(_ change: (inout Preprocessing) -> Void) -> Bool {
            var changed = sound
            change(&changed)
            do {
                try changed.validate()
                return false
            } catch { return error.message.hasPrefix("preprocessing: ") }
        }
        #expect(refused { $0.width = 0 })
        #expect(refused { $0.height = 5000 })
        #expect(refused { $0.mean = [1, 2] })
        #expect(refused { $0.std = [1, 0, 1] })
        #expect(refused { $0.std = [1, .nan, 1] })
        #expect(refused { $0.mean = [1, .infinity, 1] })
        #expect(refused { ($0.resize, $0.resizeSide) = (.shortSideCrop, 200) })
    }

    /// The definitions of the frameworks, written down a second time.
    @Test("The named normalisations", arguments: [Preprocessing.Normalisation.torchvision, .torch, .tf, .caffe])
    func normalisations(_ name: Preprocessing.Normalisation) throws {
        let picture = ResizeTests.source(9, 7)
        let read = try readPixels(
            PNGFile().write(picture), Preprocessing(width: 9, height: 7, normalisation: name))
        for pixel in 0..<(9 * 7) {
            let rgb = (0..<3).map { Double(picture.pixels[pixel * 3 + $0]) }
            let expected: [Double] =
                switch name {
                case .torchvision, .torch:
                    [
                        (rgb[0] / 255 - 0.485) / 0.229, (rgb[1] / 255 - 0.456) / 0.224,
                        (rgb[2] / 255 - 0.406) / 0.225,
                    ]
                case .tf: rgb.map { $0 / 127.5 - 1 }
                case .caffe: [rgb[2] - 103.939, rgb[1] - 116.779, rgb[0] - 123.68]
                }
            for channel in 0..<3 {
                #expect(abs(Double(read[pixel * 3 + channel]) - expected[channel]) < 2e-5)
            }
        }
    }

    @Test("Any pixel stride gives the same channels and zeros behind them", arguments: [3, 4, 5, 16])
    func pixelStrides(stride: Int) throws {
        let file = try PNGFile(exif: Exif.tiff(orientation: 6)).write(ResizeTests.source(13, 11))
        let preprocessing = Preprocessing(width: 7, height: 5, normalisation: .torchvision)
        let expected = try readPixels(file, preprocessing)
        var tensor = [Float](repeating: .nan, count: 35 * stride + 1)
        try tensor.withUnsafeMutableBufferPointer { tensor in
            try file.withUnsafeBytes { bytes in
                try ImageReader(preprocessing: preprocessing).read(
                    bytes, into: tensor.baseAddress.unsafelyUnwrapped, pixelStride: stride)
            }
        }
        #expect(tensor[35 * stride].isNaN, "nothing is written behind the tensor")
        for pixel in 0..<35 {
            for channel in 0..<stride {
                let value = channel < 3 ? expected[pixel * 3 + channel] : 0
                #expect(tensor[pixel * stride + channel] == value)
            }
        }
    }
}
