/// Finds each option's texts among flags, environment, file and default, in that order of precedence, and checks them.
struct SettingsResolver {
    let scanned: ScannedArguments
    let environment: [String: String]

    /// Throws for a text that its option cannot read, naming the place it came from.
    func resolve(_ option: any AnyOption, file: SettingsFile?) throws(UsageError) -> ParsedOptions.Setting {
        let declaration = option.declaration
        var found: [ParsedOptions.Setting] = []
        if let texts = scanned.texts[declaration.name] {
            found.append(.init(texts: texts, source: .commandLine))
            try check(option, texts, place: declaration.flag)
        }
        if let text = environment[declaration.environmentName], !text.isEmpty {
            let texts = isList(declaration) ? text.split(separator: "\n").map(String.init) : [text]
            found.append(.init(texts: texts, source: .environment(variable: declaration.environmentName)))
            try check(option, texts, place: declaration.environmentName)
        }
        if let file, let texts = file.texts[declaration.name] {
            found.append(.init(texts: texts, source: .file(path: file.path)))
            if !isList(declaration), texts.count != 1 {
                throw UsageError("\(file.path): '\(declaration.name)' takes one value")
            }
            try check(option, texts, place: "\(file.path): \(declaration.name)")
        }
        guard let first = found.first else {
            let source: ValueSource =
                declaration.defaults.isEmpty && declaration.arity == .single ? .missing : .standard
            return .init(texts: declaration.defaults, source: source)
        }
        guard declaration.arity == .merged else { return first }
        return .init(texts: found.reversed().flatMap(\.texts), source: first.source)
    }

    /// Secrets by name with dashes. Throws for a key of the file that is no secret of this command.
    func secrets(_ secrets: [Secret], filePath: String?) throws(UsageError) -> [String: String] {
        var values: [String: String] = [:]
        if let filePath {
            for (key, texts) in try SettingsFile(path: filePath).texts.sorted(by: { $0.key < $1.key }) {
                let name = key.replacing(".", with: "-")
                guard secrets.contains(where: { $0.name == name }) else {
                    throw UsageError(
                        "\(filePath): unknown secret '\(key)'.\(suggestion(for: name, among: secrets.map(\.name)))")
                }
                guard texts.count == 1 else { throw UsageError("\(filePath): '\(key)' takes one value") }
                values[name] = texts[0]
            }
        }
        for secret in secrets {
            if let value = environment[secret.environmentName], !value.isEmpty { values[secret.name] = value }
        }
        return values
    }

    private func isList(_ declaration: OptionDeclaration) -> Bool {
        declaration.arity == .repeated || declaration.arity == .merged
    }

    private func check(_ option: any AnyOption, _ texts: [String], place: String) throws(UsageError) {
        for text in texts {
            do {
                try option.check(text)
            } catch {
                throw UsageError("\(place): \(error.message)")
            }
        }
    }
}
