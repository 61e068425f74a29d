import Foundation

/// What a program tells its caller when it ends.
public struct ExitCode: Sendable, Equatable {
    public let rawValue: Int32

    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// All that was asked for is done.
    public static let done = ExitCode(rawValue: 0)
    /// Something asked for could not be done.
    public static let failed = ExitCode(rawValue: 1)
    /// Wrong usage: an option, a setting or an argument.
    public static let usage = ExitCode(rawValue: 2)
    /// Kafka cannot be reached, or may not be used.
    public static let kafka = ExitCode(rawValue: 3)
    /// The model is missing, broken or does not fit.
    public static let model = ExitCode(rawValue: 4)

    /// Cut short by a signal.
    public static func signal(_ number: Int32) -> ExitCode { ExitCode(rawValue: 128 + number) }

    /// Ends the process, output buffers flushed.
    public func exit() -> Never { Foundation.exit(rawValue) }
}
