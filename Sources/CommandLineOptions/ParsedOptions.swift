/// Where a value came from.
public enum ValueSource: Sendable, Equatable, CustomStringConvertible {
    case commandLine
    case environment(variable: String)
    case file(path: String)
    case standard
    case missing

    public var description: String {
        switch self {
        case .commandLine: "command line"
        case .environment(let variable): "environment \(variable)"
        case .file(let path): "file \(path)"
        case .standard: "default"
        case .missing: "not set"
        }
    }
}

/// The settings of one start of a program, each checked.
public struct ParsedOptions: Sendable {
    /// The chosen subcommand's name, nil for a program without any.
    public let subcommand: String?
    /// The arguments without a flag, in order.
    public let positionals: [String]
    /// By name with dashes, such as `sasl-password`; only those that were given.
    public let secrets: [String: String]

    let settings: [String: Setting]

    /// The texts given for one option, with the highest precedence among its sources.
    struct Setting: Sendable {
        var texts: [String]
        var source: ValueSource
    }

    /// An option's value. The option must be among the command's, and its default readable: a programmer's error else.
    public subscript<Value>(option: Option<Value>) -> Value {
        guard let setting = settings[option.declaration.name] else {
            preconditionFailure("\(option.declaration.flag) is not declared by this command")
        }
        do {
            return try option.read(setting.texts)
        } catch {
            preconditionFailure("\(option.declaration.flag): \(error), although it was checked")
        }
    }

    /// Where an option's value came from.
    public func source<Value>(of option: Option<Value>) -> ValueSource {
        settings[option.declaration.name]?.source ?? .missing
    }
}
