import Foundation

/// How a picture becomes an encoder's input: its size, the way there, the order of channels and the normalisation
/// `(x − mean) ÷ std` of pixels x in 0...255. It is written in a bundle's `model.json`, with `snake_case` keys.
///
/// In JSON, `"normalisation": "torchvision" | "torch" | "tf" | "caffe"` may stand in place of `channels`, `mean` and
/// `std`; it is written back as those three.
public struct Preprocessing: Sendable, Equatable {
    public enum Resize: String, Sendable, Codable {
        /// To `width` × `height`, whatever the picture's proportions.
        case stretch
        /// The shorter side to `resizeSide`, then the middle `width` × `height` (torchvision's `Resize(int)` and `CenterCrop`).
        case shortSideCrop = "short-side-crop"
    }

    public enum Channels: String, Sendable, Codable {
        case rgb = "RGB"
        case bgr = "BGR"
    }

    /// Pixels of the encoder's input.
    public var width: Int
    public var height: Int
    public var resize: Resize
    /// Pixels of the shorter side before the crop; only for `shortSideCrop`. Where it is absent: see `effectiveResizeSide`.
    public var resizeSide: Int?
    public var channels: Channels
    /// Three values in pixel units (0...255), in the order of `channels`.
    public var mean: [Float]
    /// Three values in pixel units (0...255), in the order of `channels`.
    public var std: [Float]
    /// Whether a large JPEG may be decoded at a half, a quarter or an eighth of its size, as long as each side stays well
    /// above what the resize makes of it (at least 1.6 times).
    public var scaledDecoding: Bool

    /// - Precondition: `mean` and `std` have three elements. `validate()` checks this and all else that comes from a file.
    public init(
        width: Int, height: Int, resize: Resize = .stretch, resizeSide: Int? = nil, channels: Channels = .rgb,
        mean: [Float], std: [Float], scaledDecoding: Bool = true
    ) {
        self.width = width
        self.height = height
        self.resize = resize
        self.resizeSide = resizeSide
        self.channels = channels
        self.mean = mean
        self.std = std
        self.scaledDecoding = scaledDecoding
    }

    public init(
        width: Int, height: Int, resize: Resize = .stretch, resizeSide: Int? = nil, normalisation: Normalisation,
        scaledDecoding: Bool = true
    ) {
        self.init(
            width: width, height: height, resize: resize, resizeSide: resizeSide, channels: normalisation.channels,
            mean: normalisation.mean, std: normalisation.std, scaledDecoding: scaledDecoding)
    }

    /// `resizeSide`, or where it is absent what torchvision's classification models use for 224 pixels, in proportion:
    /// 256 ÷ 224 of the crop's longer side, rounded to the nearest pixel (342 for 299).
    public var effectiveResizeSide: Int { resizeSide ?? (max(width, height) * 256 + 112) / 224 }

    /// Checks what a file may have got wrong.
    public func validate() throws(ModelError) {
        func refuse(_ reason: String) -> ModelError { ModelError("preprocessing: \(reason)") }
        guard (1...4096).contains(width), (1...4096).contains(height) else {
            throw refuse("width and height must be between 1 and 4096, not \(width)×\(height)")
        }
        if resize == .shortSideCrop {
            guard (max(width, height)...8192).contains(effectiveResizeSide) else {
                throw refuse("resize_side must be between the crop's longer side and 8192, not \(effectiveResizeSide)")
            }
        }
        guard mean.count == 3, std.count == 3 else { throw refuse("mean and std must have three values each") }
        // A subnormal deviation has no reciprocal.
        guard mean.allSatisfy(\.isFinite), std.allSatisfy({ $0.isNormal && $0 > 0 }) else {
            throw refuse("mean must be finite, std finite and above 0")
        }
    }
}

extension Preprocessing {
    /// The normalisations that go by a name. Keras's three are those of `keras.applications.imagenet_utils.preprocess_input`.
    public enum Normalisation: String, Sendable, Codable {
        /// (x ÷ 255 − mean) ÷ std with ImageNet's mean and standard deviation, RGB.
        case torchvision
        /// Keras's name for the same.
        case torch
        /// x ÷ 127.5 − 1, RGB.
        case tf
        /// x − mean of ImageNet, BGR.
        case caffe

        public var channels: Channels { self == .caffe ? .bgr : .rgb }

        /// In pixel units, in the order of `channels`.
        public var mean: [Float] {
            switch self {
            case .torchvision, .torch: [123.675, 116.28, 103.53]
            case .tf: [127.5, 127.5, 127.5]
            case .caffe: [103.939, 116.779, 123.68]
            }
        }

        /// In pixel units, in the order of `channels`.
        public var std: [Float] {
            switch self {
            case .torchvision, .torch: [58.395, 57.12, 57.375]
            case .tf: [127.5, 127.5, 127.5]
            case .caffe: [1, 1, 1]
            }
        }
    }
}

extension Preprocessing: Codable {
    private enum Key: String, CodingKey {
        case width, height, resize, channels, mean, std, normalisation
        case resizeSide = "resize_side"
        case scaledDecoding = "scaled_decoding"
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        let named = try values.decodeIfPresent(Normalisation.self, forKey: .normalisation)
        if named != nil, values.contains(.mean) || values.contains(.std) || values.contains(.channels) {
            throw DecodingError.dataCorruptedError(
                forKey: .normalisation, in: values,
                debugDescription: "normalisation excludes channels, mean and std")
        }
        self.init(
            width: try values.decode(Int.self, forKey: .width),
            height: try values.decode(Int.self, forKey: .height),
            resize: try values.decodeIfPresent(Resize.self, forKey: .resize) ?? .stretch,
            resizeSide: try values.decodeIfPresent(Int.self, forKey: .resizeSide),
            channels: try named?.channels ?? values.decodeIfPresent(Channels.self, forKey: .channels) ?? .rgb,
            mean: try named?.mean ?? values.decode([Float].self, forKey: .mean),
            std: try named?.std ?? values.decode([Float].self, forKey: .std),
            scaledDecoding: try values.decodeIfPresent(Bool.self, forKey: .scaledDecoding) ?? true)
    }

    public func encode(to encoder: any Swift.Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(width, forKey: .width)
        try values.encode(height, forKey: .height)
        try values.encode(resize, forKey: .resize)
        try values.encodeIfPresent(resizeSide, forKey: .resizeSide)
        try values.encode(channels, forKey: .channels)
        try values.encode(mean, forKey: .mean)
        try values.encode(std, forKey: .std)
        try values.encode(scaledDecoding, forKey: .scaledDecoding)
    }
}
