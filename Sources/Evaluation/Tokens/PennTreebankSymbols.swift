/// Numbers, punctuation, symbols, tags and addresses.
extension PennTreebankScanner {
    private static let replacements: [Unicode.Scalar: String] = [
        "(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-",
        "\u{2018}": "`", "\u{2039}": "`", "\u{203A}": "'", "\u{201C}": "``", "\u{201D}": "''", "«": "``", "»": "''",
        "\u{2013}": "--", "\u{2014}": "--", "\u{2015}": "--", "…": "...",
        "£": "#", "€": "$", "¢": "cents", "½": "1/2", "¼": "1/4", "¾": "3/4",
    ]

    private static let entities = [
        "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": "''", "&apos;": "'", "&mdash;": "--", "&ndash;": "--",
    ]

    private static let emoticons = [
        ">:(", ":'(", ":-)", ":-(", ";-)", ";-(", ":-D", ":-P", ":-|", ":)", ":(", ";)", ";(", ":D", ":P", ":|", "=)",
        "=(", "=D",
        "^_^", "-_-",
    ]

    /// What repeats is one token.
    private static let runs = Set("*_#@".unicodeScalars)

    mutating func scanSymbol() {
        let scalar = text[position]
        switch scalar {
        case "<":
            if let end = tagEnd() {
                return emit(string(position..<end).replacing(" ", with: "\u{A0}"), upTo: end)
            }
        case "&":
            if scanEntity() { return }
        case "\"":
            return emit(peek().map { $0.isWordScalar } == true ? "``" : "''", upTo: position + 1)
        case "`":
            if peek() == "`" { return emit(upTo: position + 2) }
        case "-":
            let end = self.end(from: position) { $0 == "-" }
            return emit(end - position > 1 ? "--" : "-", upTo: end)
        case ".":
            return scanFullStops()
        case "!", "?":
            return emit(upTo: end(from: position) { $0 == "!" || $0 == "?" })
        case "#", "@":
            let end = self.end(from: position + 1) { $0.isLetter || (scalar == "@" && ($0.isWordScalar || $0 == "_")) }
            if isLetter(at: position + 1) { return emit(upTo: end) }
        default: break
        }
        if Self.runs.contains(scalar) { return emit(upTo: end(from: position) { $0 == scalar }) }
        emit(Self.replacements[scalar] ?? String(Character(scalar)), upTo: position + 1)
    }

    /// Three full stops or more, with spaces between or not, are one token.
    private mutating func scanFullStops() {
        let run = end(from: position) { $0 == "." }
        if run - position >= 3 { return emit("...", upTo: run) }
        if run - position == 1, peek(1) == " ", peek(2) == ".", peek(3) == " ", peek(4) == "." {
            return emit("...", upTo: position + 5)
        }
        emit(".", upTo: position + 1)
    }

    private mutating func scanEntity() -> Bool {
        if matches("&nbsp;", at: position) {
            position += 6
            return true
        }
        if let (entity, token) = Self.entities.first(where: { matches($0.key, at: position) }) {
            emit(token, upTo: position + entity.count)
            return true
        }
        guard peek() == "#" else { return false }
        let end = self.end(from: position + 2, while: \.isASCIIDigit)
        guard end > position + 2, scalar(at: end) == ";" else { return false }
        emit(upTo: end + 1)
        return true
    }

    /// `<b>`, `</b>`, `<a href="x">`, `<!-- … -->`.
    private func tagEnd() -> Int? {
        guard let first = peek() else { return nil }
        let end: Int
        if first == "/" {
            end = self.end(from: position + 2, while: \.isWordScalar)
            guard end > position + 2 else { return nil }
        } else if first == "!" || first == "?" || first.isLetter {
            end = self.end(from: position + 1) { $0 != "<" && $0 != ">" }
        } else {
            return nil
        }
        return scalar(at: end) == ">" ? end + 1 : nil
    }

    /// The end of an emoticon; its brackets are written as others are.
    func emoticonEnd() -> Int? {
        // Most characters begin none.
        guard ">:;=^-".unicodeScalars.contains(text[position]),
            let found = Self.emoticons.first(where: {
                matches($0, at: position) || matches($0.lowercased(), at: position)
            })
        else { return nil }
        let end = position + found.count
        return text[end - 1].isLetter && scalar(at: end)?.isWordScalar == true ? nil : end
    }

    /// `5`, `1,000.50`, `-3`, `.5`, `10:30`, and what a hyphen joins to such: `2.5-inch`. Nil for a word such as `5th` or
    /// `3-D`, and for an address, which `scanWord` reads.
    func numberEnd() -> Int? {
        var end = position
        if text[end] == "-" || text[end] == "+" { end += 1 }
        if let separator = scalar(at: end), ".,:".unicodeScalars.contains(separator) { end += 1 }
        guard scalar(at: end)?.isASCIIDigit == true else { return addressEnd() }
        end = self.end(from: end, while: \.isASCIIDigit)
        while let separator = scalar(at: end), ".,:".unicodeScalars.contains(separator),
            scalar(at: end + 1)?.isASCIIDigit == true
        {
            end = self.end(from: end + 1, while: \.isASCIIDigit)
        }
        let isPlain = text[position..<end].allSatisfy(\.isASCIIDigit)
        if isPlain { return nil }
        var joined = self.end(from: end, while: \.isLetter)
        guard scalar(at: joined) == "-", isLetter(at: joined + 1) else { return end }
        while scalar(at: joined) == "-", scalar(at: joined + 1)?.isWordScalar == true {
            joined = self.end(from: joined + 1, while: \.isWordScalar)
        }
        return joined
    }

    /// The end of `http://…` or `www.…`.
    private func addressEnd() -> Int? {
        guard let start = ["http://", "https://", "www."].first(where: { matches($0, at: position) }) else {
            return nil
        }
        let begin = position + start.count
        var end = self.end(from: begin) { !$0.isSpaceOrUnknown && !"\"<>|()".unicodeScalars.contains($0) }
        while end > begin, ".,;:!?'".unicodeScalars.contains(text[end - 1]) { end -= 1 }
        return end > begin + 1 ? end : nil
    }
}
