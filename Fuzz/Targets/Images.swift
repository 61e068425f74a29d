import Foundation
import Inference

/// The path from an image file's bytes to the encoder's input, as a pool thread of the worker takes it: readers that live
/// from file to file, the worker's limits but for the pixels, which are few so that an execution stays short.
///
/// `@unchecked Sendable`: libFuzzer calls from one thread.
final class ImageTarget: @unchecked Sendable {
    static let shared = ImageTarget()

    private static let sides = (width: 20, height: 16)
    private static let pixelStride = 4

    private let readers: [ImageReader]
    private let tensor: UnsafeMutableBufferPointer<Float>

    private init() {
        let (width, height) = Self.sides
        var limits = ImageLimits()
        limits.maximumPixels = 1 << 16
        readers = [
            Preprocessing(width: width, height: height, normalisation: .torchvision),
            Preprocessing(width: width, height: height, resize: .shortSideCrop, normalisation: .caffe),
        ].map { ImageReader(preprocessing: $0, limits: limits) }
        tensor = .allocate(capacity: width * height * Self.pixelStride)
    }

    /// Reads the file; anything but a tensor of finite numbers or one of the codes that a file can deserve ends the process.
    func read(_ bytes: UnsafeRawBufferPointer) {
        guard let base = tensor.baseAddress else { fatalError("no tensor") }
        tensor.update(repeating: .nan)
        do throws(InferenceError) {
            try readers[bytes.count % readers.count].read(bytes, into: base, pixelStride: Self.pixelStride)
        } catch {
            switch error.code {
            case .imageCorrupt, .imageUnsupported, .imageTooLarge: return
            default: fatalError("a file's bytes alone gave \(error)")
            }
        }
        guard tensor.allSatisfy(\.isFinite) else { fatalError("a tensor that is not wholly written") }
    }
}
