/// The user asked for something in a way that cannot be understood. The message names the flag, variable or file at
/// fault and says what would be right. A program ends with `ExitCode.usage`.
public struct UsageError: Error, Sendable, Equatable, CustomStringConvertible {
    public let message: String

    public init(_ message: String) { self.message = message }

    public var description: String { message }
}
