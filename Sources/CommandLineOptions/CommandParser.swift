import Foundation

extension Command {
    /// What a command line asks for.
    public enum Request: Sendable {
        case run(ParsedOptions)
        /// Help, version or configuration, to be printed to standard output before ending with `ExitCode.done`.
        case show(String)
    }

    /// Reads the process's own arguments and environment. Help, version and `--print-config` are printed and end the
    /// process with 0, a usage error with 2.
    public func parseOrExit() -> ParsedOptions {
        do {
            switch try parse(Array(CommandLine.arguments.dropFirst()), environment: ProcessInfo.processInfo.environment)
            {
            case .run(let options): return options
            case .show(let text):
                print(text)
                ExitCode.done.exit()
            }
        } catch {
            fail(error)
        }
    }

    /// Prints a usage error, where the help is, and ends the process with 2.
    public func fail(_ error: UsageError) -> Never {
        FileHandle.standardError.write(Data("\(name): \(error.message)\nTry '\(name) --help'.\n".utf8))
        ExitCode.usage.exit()
    }

    /// Reads arguments (without the program's name) and an environment.
    public func parse(_ arguments: [String], environment: [String: String]) throws(UsageError) -> Request {
        guard !subcommands.isEmpty else { return try parse(arguments, environment: environment, chosen: nil) }
        guard let word = arguments.first else {
            throw UsageError("a command is missing; give \(subcommands.map(\.name).joined(separator: ", "))")
        }
        if word == "--help" || word == "-h" { return .show(helpText(title: name)) }
        if word == "--version" { return .show("\(name) \(Kaption.version)") }
        if let command = subcommands.first(where: { $0.name == word }) {
            let full = Command(
                name: "\(name) \(word)", abstract: command.abstract, discussion: command.discussion,
                sections: command.sections, positionals: command.positionals, secrets: command.secrets,
                examples: command.examples)
            return try full.parse(Array(arguments.dropFirst()), environment: environment, chosen: word)
        }
        throw UsageError("unknown command '\(word)'.\(suggestion(for: word, among: subcommands.map(\.name)))")
    }

    private func parse(
        _ arguments: [String], environment: [String: String], chosen: String?
    ) throws(UsageError) -> Request {
        let options = allOptions
        let scanned = try scanArguments(arguments, options: options.map(\.declaration))
        if scanned.texts["help"] != nil { return .show(helpText(title: name)) }
        if scanned.texts["version"] != nil { return .show("\(name.split(separator: " ")[0]) \(Kaption.version)") }

        let resolver = SettingsResolver(scanned: scanned, environment: environment)
        let file = try hasSettingsFile ? settingsFile(resolver, options) : nil
        var settings: [String: ParsedOptions.Setting] = [:]
        for option in options {
            settings[option.declaration.name] = try resolver.resolve(option, file: file)
        }
        let secrets = try resolver.secrets(secrets, filePath: settings["secrets"]?.texts.last)
        if settings["print-config"]?.texts.last == "true" {
            return .show(printedConfiguration(settings, secrets: secrets, options: options))
        }
        try checkPresence(settings, options, scanned.positionals)
        return .run(
            ParsedOptions(
                subcommand: chosen, positionals: scanned.positionals, secrets: secrets, settings: settings))
    }

    var hasSettingsFile: Bool {
        !sections.contains { $0.options.contains { $0.declaration.name == SharedOptions.config.declaration.name } }
    }

    /// Those that every command has.
    var generalOptions: [any AnyOption] {
        var options: [any AnyOption] = []
        if hasSettingsFile { options.append(SharedOptions.config) }
        if !secrets.isEmpty { options.append(SharedOptions.secrets) }
        return options + [SharedOptions.printConfig, SharedOptions.version, SharedOptions.help]
    }

    private var allOptions: [any AnyOption] { sections.flatMap(\.options) + generalOptions }

    private func settingsFile(
        _ resolver: SettingsResolver, _ options: [any AnyOption]
    ) throws(UsageError) -> SettingsFile? {
        guard let path = try resolver.resolve(SharedOptions.config, file: nil).texts.last else { return nil }
        let file = try SettingsFile(path: path)
        let general = ["config", "help", "version", "print-config"]
        let names = options.map(\.declaration.name).filter { !general.contains($0) }
        for key in file.texts.keys.sorted() where !names.contains(key) {
            throw UsageError("\(path): unknown key '\(key)'.\(suggestion(for: key, among: names))")
        }
        return file
    }

    private func checkPresence(
        _ settings: [String: ParsedOptions.Setting], _ options: [any AnyOption], _ words: [String]
    ) throws(UsageError) {
        for option in options.map(\.declaration) where option.isRequired && settings[option.name]?.source == .missing {
            throw UsageError(
                "\(option.flag) \(option.placeholder) is missing; give it, or \(option.environmentName) in the environment"
            )
        }
        let count = positionals?.count ?? 0...0
        if words.count < count.lowerBound {
            throw UsageError("\(positionals?.placeholder ?? "an argument") is missing")
        }
        if words.count > count.upperBound { throw UsageError("unexpected argument '\(words[count.upperBound])'") }
    }
}
