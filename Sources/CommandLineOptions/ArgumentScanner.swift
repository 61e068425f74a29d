/// What the words of a command line say, before types are looked at.
struct ScannedArguments {
    /// By option name, in the order given.
    var texts: [String: [String]] = [:]
    var positionals: [String] = []
}

/// Splits words into options and positionals: `--flag value`, `--flag=value`, `-X value`, `-Xvalue`, `--` ends the
/// options, a lone `-` is a positional. Options and positionals may be mixed. A value that looks like a flag must be
/// attached: a value that was forgotten, such as an empty shell variable, must not swallow the next flag.
func scanArguments(_ words: some Sequence<String>, options: [OptionDeclaration]) throws(UsageError) -> ScannedArguments
{
    var scanned = ScannedArguments()
    var iterator = words.makeIterator()
    var onlyPositionals = false
    while let word = iterator.next() {
        if onlyPositionals || word == "-" || !word.hasPrefix("-") {
            scanned.positionals.append(word)
        } else if word == "--" {
            onlyPositionals = true
        } else {
            let (option, attached) = try find(word, options)
            if option.arity == .flag {
                scanned.texts[option.name, default: []].append(attached ?? "true")
            } else if let value = attached ?? iterator.next(), attached != nil || !isLongFlag(value) {
                scanned.texts[option.name, default: []].append(value)
            } else {
                throw UsageError("\(option.flag) needs a value: \(option.flag) \(option.placeholder)")
            }
        }
    }
    return scanned
}

private func isLongFlag(_ word: String) -> Bool { word.hasPrefix("--") && word.count > 2 }

/// The option that a word names, and the value attached to the word.
private func find(_ word: String, _ options: [OptionDeclaration]) throws(UsageError) -> (OptionDeclaration, String?) {
    if word.hasPrefix("--") {
        let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        if let option = options.first(where: { $0.name == name && name.count > 1 }) {
            return (option, parts.count == 2 ? String(parts[1]) : nil)
        }
        let flags = options.filter { !$0.isHidden }.map(\.flag)
        throw UsageError("unknown option --\(name).\(suggestion(for: "--" + name, among: flags))")
    }
    let letter = word[word.index(after: word.startIndex)]
    guard let option = options.first(where: { $0.name == String(letter) || $0.short == letter }) else {
        throw UsageError("unknown option \(word).\(suggestion(for: "-" + word, among: options.map(\.flag)))")
    }
    let rest = word.dropFirst(2)
    if rest.isEmpty { return (option, nil) }
    if option.arity == .flag { throw UsageError("unknown option \(word); give \(option.flag) alone") }
    return (option, String(rest.first == "=" ? rest.dropFirst() : rest))
}
