/// Why one image has no caption. `code` is one of the stable error codes of the result message.
public struct InferenceError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: String, Sendable {
        case imageTooLarge = "image_too_large"
        case imageUnsupported = "image_unsupported"
        case imageCorrupt = "image_corrupt"
        case imageTimeout = "image_timeout"
        case optionOutOfRange = "option_out_of_range"
        case `internal` = "internal"
    }

    public var code: Code
    /// For a person: what was wrong with this image, without paths.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code.rawValue): \(message)" }
}

/// Why a model cannot be used: the bundle, the ONNX file or the weights are missing, damaged or of a kind not supported.
public struct ModelError: Error, Sendable, Equatable, CustomStringConvertible {
    public var message: String

    public init(_ message: String) { self.message = message }

    public var description: String { message }
}
