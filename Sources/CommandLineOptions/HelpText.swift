extension Command {
    /// The help, from the declarations alone.
    func helpText(title: String) -> String {
        var parts = ["\(title): \(abstract)", "USAGE\n  \(usage(title))"]
        if !discussion.isEmpty { parts.append(discussion) }
        if !subcommands.isEmpty {
            parts.append(table("COMMANDS", subcommands.map { ($0.name, $0.abstract) }))
            parts.append("'\(title) COMMAND --help' tells more.")
        }
        if let positionals { parts.append(table("ARGUMENTS", [(positionals.placeholder, positionals.help)])) }
        for section in sections {
            let visible = section.options.map(\.declaration).filter { !$0.isHidden }
            if !visible.isEmpty { parts.append(table(section.title.uppercased(), visible.map(row))) }
        }
        if subcommands.isEmpty {
            parts.append(table("GENERAL", generalOptions.map { row($0.declaration) }))
            parts.append(settingsNote)
        }
        if !secrets.isEmpty {
            parts.append(table("SECRETS", secrets.map { ("\($0.environmentName)", $0.help) }))
        }
        if !examples.isEmpty {
            parts.append("EXAMPLES\n" + examples.map { "  # \($0.purpose)\n  \($0.line)" }.joined(separator: "\n"))
        }
        return parts.joined(separator: "\n\n")
    }

    private func usage(_ title: String) -> String {
        if !subcommands.isEmpty { return "\(title) COMMAND [OPTIONS]" }
        let required = sections.flatMap(\.options).map(\.declaration).filter { $0.isRequired && !$0.isHidden }
        let words = required.map { "\($0.flag) \($0.placeholder)" } + ["[OPTIONS]"]
        let arguments = positionals.map { $0.count.lowerBound == 0 ? "[\($0.placeholder)]" : $0.placeholder }
        return ([title] + words + [arguments].compactMap(\.self)).joined(separator: " ")
    }

    private var settingsNote: String {
        let file = hasSettingsFile ? " or a key in the --config file" : ""
        var note = "Every option can also be given as KAPTION_<NAME> in the environment\(file); the flag goes first."
        if !secrets.isEmpty {
            note += "\nSecrets are taken from the environment or the --secrets file, never from flags."
        }
        return note
    }

    private func row(_ option: OptionDeclaration) -> (String, String) {
        var left = option.short.map { "-\($0), " } ?? ""
        left += option.flag
        if !option.placeholder.isEmpty { left += " " + option.placeholder }
        if option.arity == .repeated || option.arity == .merged { left += " …" }
        var right = option.help
        if !option.defaults.isEmpty { right += " Default: \(option.defaults.joined(separator: ", "))." }
        if option.isRequired { right += " Required." }
        return (left, right)
    }

    /// Two columns, the right one folded; a long left cell has a line of its own.
    private func table(_ title: String, _ rows: [(String, String)]) -> String {
        let indent = 28
        var lines = [title]
        for (left, right) in rows {
            let folded = fold(right, width: 100 - indent)
            let padding = String(repeating: " ", count: max(0, indent - 2 - left.count))
            if left.count > indent - 4 {
                lines.append("  " + left)
            } else {
                lines.append("  " + left + padding + (folded.first ?? ""))
            }
            let rest = left.count > indent - 4 ? folded[...] : folded.dropFirst()
            lines += rest.map { String(repeating: " ", count: indent) + $0 }
        }
        return lines.joined(separator: "\n")
    }

    private func fold(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= width {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}
