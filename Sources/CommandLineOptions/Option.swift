/// What is known of an option without its type: names, help, how often it may be given.
public struct OptionDeclaration: Sendable {
    public enum Arity: Sendable, Equatable {
        /// `--wait`; takes a value only as `--wait=false`.
        case flag
        /// `--beam 3`: the last one counts.
        case single
        /// `--topic a --topic b`. A source of higher precedence replaces all of a lower one.
        case repeated
        /// `-X a=1 -X b=2`: as `repeated`, but all sources are put together, the highest precedence last.
        case merged
    }

    /// Without dashes; one letter is given with one dash (`-X`), more with two.
    public let name: String
    /// A second, one-letter name.
    public var short: Character?
    public let placeholder: String
    public let help: String
    public let arity: Arity
    public var defaults: [String] = []
    public var isRequired = false
    public var isHidden = false

    /// `--beam` or `-X`.
    public var flag: String { (name.count == 1 ? "-" : "--") + name }

    /// `KAPTION_MAX_WORDS` for `--max-words`.
    public var environmentName: String { "KAPTION_" + name.uppercased().replacing("-", with: "_") }
}

/// An option of any type, as a command lists it.
public protocol AnyOption: Sendable {
    var declaration: OptionDeclaration { get }
    /// Reads one text; throws what is wrong with it. `value(of:)` then reads all of them.
    func check(_ text: String) throws(UsageError)
}

/// One option of a program; also the key by which its value is read: `options[beam]`.
///
/// Made by `required`, `optional`, `with default`, `repeated`, `merged` and `flag`, and kept in a constant.
public struct Option<Value: Sendable>: AnyOption {
    public private(set) var declaration: OptionDeclaration
    let read: @Sendable ([String]) throws(UsageError) -> Value

    public func check(_ text: String) throws(UsageError) { _ = try read([text]) }

    /// The same option, left out of the help.
    public var hidden: Self {
        var copy = self
        copy.declaration.isHidden = true
        return copy
    }

    /// The same option with a one-letter name besides.
    public func short(_ letter: Character) -> Self {
        var copy = self
        copy.declaration.short = letter
        return copy
    }

    /// An option that must be given.
    public static func required(
        _ name: String, _ format: ValueFormat<Value>, _ placeholder: String, help: String
    ) -> Option<Value> {
        var declaration = OptionDeclaration(name: name, placeholder: placeholder, help: help, arity: .single)
        declaration.isRequired = true
        return Option(declaration: declaration) { texts throws(UsageError) in try format.parse(texts.last ?? "") }
    }

    /// An option with a default, given as the text a user would write.
    public static func defaulted(
        _ name: String, _ format: ValueFormat<Value>, _ placeholder: String, default text: String, help: String
    ) -> Option<Value> {
        var declaration = OptionDeclaration(name: name, placeholder: placeholder, help: help, arity: .single)
        declaration.defaults = [text]
        return Option(declaration: declaration) { texts throws(UsageError) in try format.parse(texts.last ?? text) }
    }

    /// An option that may be left out; its value is then nil.
    public static func optional<Wrapped: Sendable>(
        _ name: String, _ format: ValueFormat<Wrapped>, _ placeholder: String, help: String
    ) -> Option<Wrapped?> where Value == Wrapped? {
        let declaration = OptionDeclaration(name: name, placeholder: placeholder, help: help, arity: .single)
        return Option(declaration: declaration) { texts throws(UsageError) in
            guard let text = texts.last else { return nil }
            return try format.parse(text)
        }
    }

    /// An option that may be given several times.
    public static func repeated<Element: Sendable>(
        _ name: String, _ format: ValueFormat<Element>, _ placeholder: String, default texts: [String] = [],
        help: String
    ) -> Option<[Element]> where Value == [Element] {
        list(name, format, placeholder, arity: .repeated, texts: texts, help: help)
    }

    /// An option that may be given several times, what the environment and the file say included.
    public static func merged<Element: Sendable>(
        _ name: String, _ format: ValueFormat<Element>, _ placeholder: String, help: String
    ) -> Option<[Element]> where Value == [Element] {
        list(name, format, placeholder, arity: .merged, texts: [], help: help)
    }

    private static func list<Element: Sendable>(
        _ name: String, _ format: ValueFormat<Element>, _ placeholder: String, arity: OptionDeclaration.Arity,
        texts: [String], help: String
    ) -> Option<[Element]> where Value == [Element] {
        var declaration = OptionDeclaration(name: name, placeholder: placeholder, help: help, arity: arity)
        declaration.defaults = texts
        return Option(declaration: declaration) { texts throws(UsageError) in
            var elements: [Element] = []
            for text in texts { elements.append(try format.parse(text)) }
            return elements
        }
    }
}

extension Option where Value == Bool {
    /// A switch, off unless given.
    public static func flag(_ name: String, help: String) -> Option<Bool> {
        let declaration = OptionDeclaration(name: name, placeholder: "", help: help, arity: .flag)
        return Option(declaration: declaration) { texts throws(UsageError) in
            guard let text = texts.last else { return false }
            return try ValueFormat.boolean.parse(text)
        }
    }
}
