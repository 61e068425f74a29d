/// Why a request has no caption: the stable codes of results and dead letters. Codes are only ever added.
public enum ErrorCode: String, Sendable, CaseIterable, Codable {
    case requestMalformed = "request_malformed"
    case requestTooLarge = "request_too_large"
    case headersTooLarge = "headers_too_large"
    case optionOutOfRange = "option_out_of_range"
    case modelUnknown = "model_unknown"
    case expired = "expired"
    case imagePathRejected = "image_path_rejected"
    case imageNotFound = "image_not_found"
    case imageUnreadable = "image_unreadable"
    case imageTooLarge = "image_too_large"
    case imageUnsupported = "image_unsupported"
    case imageCorrupt = "image_corrupt"
    case imageTimeout = "image_timeout"
    case workerCrashed = "worker_crashed"
    case `internal` = "internal"

    /// May pass by itself (an upload under way, storage away): retried within the worker's retry budget before it is final.
    public var isTransient: Bool { self == .imageNotFound || self == .imageUnreadable }
}

/// Why a request cannot be answered by a caption.
public struct RequestFailure: Error, Sendable, Equatable, CustomStringConvertible {
    public var code: ErrorCode
    /// For a person.
    public var message: String

    public init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code.rawValue): \(message)" }
}
