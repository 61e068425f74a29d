import Foundation

extension Command {
    /// Every setting with its value and source as a JSON object, in order of name; secrets only as "(set)" or null.
    func printedConfiguration(
        _ settings: [String: ParsedOptions.Setting], secrets: [String: String], options: [any AnyOption]
    ) -> String {
        let general = [SharedOptions.help, SharedOptions.version, SharedOptions.printConfig].map(\.declaration.name)
        var object: [String: [String: Any]] = [:]
        for option in options.map(\.declaration) where !general.contains(option.name) {
            guard let setting = settings[option.name] else { continue }
            object[option.name] = ["value": value(option, setting.texts), "source": setting.source.description]
        }
        for secret in self.secrets {
            let isSet = secrets[secret.name] != nil
            object["secret " + secret.name] = [
                "value": isSet ? "(set)" : NSNull(), "source": isSet ? "secret" : ValueSource.missing.description,
            ]
        }
        let style: JSONSerialization.WritingOptions = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? JSONSerialization.data(withJSONObject: object, options: style) else { return "{}" }
        return String(decoding: data, as: UTF8.self)
    }

    private func value(_ option: OptionDeclaration, _ texts: [String]) -> Any {
        switch option.arity {
        case .flag: texts.last.flatMap { try? ValueFormat.boolean.parse($0) } ?? false
        case .single: texts.last ?? NSNull()
        case .repeated, .merged: texts.map(withoutSecret)
        }
    }

    /// `sasl.password=(secret)`: a secret among `KEY=VALUE` texts will be refused, and is not shown before.
    private func withoutSecret(_ text: String) -> String {
        guard let equals = text.firstIndex(of: "=") else { return text }
        let name = text[..<equals].replacing(".", with: "-")
        return secrets.contains { $0.name == name } ? text[...equals] + "(secret)" : text
    }
}
