/// What is wrong with training's input or settings; the message names the file, and the line where there is one.
public struct TrainingError: Error, Sendable, Equatable, CustomStringConvertible {
    public var message: String

    public init(_ message: String) { self.message = message }

    public var description: String { message }
}
