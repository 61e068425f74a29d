/// Words, what is joined to them, and what splits them.
extension PennTreebankScanner {
    /// Ends of words that are tokens of their own, after an apostrophe.
    private static let suffixes = ["s", "m", "d", "re", "ve", "ll"]

    /// Words of two tokens, and the length of the first.
    private static let compounds = ["cannot": 3, "gonna": 3, "gotta": 3, "wanna": 3, "lemme": 3, "gimme": 3]

    /// Words with an apostrophe, whole. Those at the beginning of a text such as `'em` follow no word.
    private static let wholeWords = ["nor'easter", "c'mon", "s'mores", "ev'ry", "li'l", "nat'l", "e'er"]
    private static let droppedEndings = ["ol", "somethin", "dunkin"]
    private static let shortened = ["'cause", "'till", "'til", "'em", "'n'", "'n"]

    mutating func scanWord() {
        if let whole = Self.wholeWords.first(where: { matches($0, at: position) && !isLetter(at: position + $0.count) })
        {
            return emit(upTo: position + whole.count)
        }
        var partStart = position
        var end = self.end(from: position, while: \.isWordScalar)
        while let next = joinedPart(after: partStart..<end) {
            partStart = next
            end = self.end(from: next, while: \.isWordScalar)
        }
        if scalar(at: end)?.isApostrophe == true { return endWord(beforeApostrophe: end, partStart: partStart) }
        if scalar(at: end) == ".", isAbbreviation(position..<end) { end += 1 }
        let word = string(position..<end).lowercased()
        if let first = Self.compounds[word] {
            emit(upTo: position + first)
        }
        emit(upTo: end)
    }

    /// Where the word goes on after a part of it, if what follows joins the parts: `black-and-white`, `R&B`, `dog.Cat`,
    /// `U.S.-based`, `a@b.com`.
    private func joinedPart(after part: Range<Int>) -> Int? {
        let end = part.upperBound
        guard let separator = scalar(at: end), let next = scalar(at: end + 1) else { return nil }
        switch separator {
        case "-", "_", "/", "@":
            return next.isWordScalar ? end + 1 : nil
        case "&":
            return isCapitals(part) && next.isASCIIUppercase ? end + 1 : nil
        case ".", "!", "?":
            if next.isLetter, text[part].allSatisfy(\.isLetter) { return end + 1 }
            let isHyphened = next == "-" && scalar(at: end + 2)?.isWordScalar == true
            return separator == "." && isHyphened && isAbbreviation(position..<end) ? end + 2 : nil
        case "'", "\u{2019}":
            return joinsApostrophe(at: end, after: part.lowerBound) ? end + 1 : nil
        default:
            return nil
        }
    }

    /// Ends a word where an apostrophe follows that is not within it.
    private mutating func endWord(beforeApostrophe end: Int, partStart: Int) {
        let part = partStart..<end
        if matches("t", at: end + 1), !isLetter(at: end + 2), matches("n", at: end - 1) {
            if end - 1 > position { emit(upTo: end - 1) }
            emit("n't", upTo: end + 2)
        } else if part.count == 1, partStart == position, matches("y", at: end - 1) || text[end - 1] == "j",
            isLetter(at: end + 1), suffixEnd(at: end) == nil
        {
            emit(string(part) + "'", upTo: end + 1)
        } else if partStart == position, Self.droppedEndings.contains(string(part).lowercased()) {
            emit(upTo: end + 1)
        } else {
            emit(upTo: end)
        }
    }

    /// Whether an apostrophe stands within a word: `O'Brien`, `d'Artagnan`, `o'clock`, `ma'am`.
    private func joinsApostrophe(at index: Int, after partStart: Int) -> Bool {
        guard let next = scalar(at: index + 1), next.isLetter, suffixEnd(at: index) == nil else { return false }
        let part = text[partStart..<index]
        guard let first = part.first, let last = part.last else { return false }
        if part.count == 1 {
            if "lLdD".unicodeScalars.contains(first) { return true }
            let isName = (first.isASCIIUppercase && first != "I" && first != "Y") || first == "n" || first == "o"
            return isName && isLetter(at: index + 2)
        }
        return part.allSatisfy(\.isLetter) && "aeiouyAEIOUY".unicodeScalars.contains(last)
            && ("aeiou".unicodeScalars.contains(next) || next.isASCIIUppercase)
    }

    mutating func scanApostrophe() {
        if scalar(at: position + 1) == "'" { return emit("''", upTo: position + 2) }
        if let end = suffixEnd(at: position) {
            return emit("'" + string(position + 1..<end), upTo: end)
        }
        if let word = ["'tis", "'twas"].first(where: { matches($0, at: position) }) {
            let end = position + word.count
            if !isLetter(at: end) || matches("n't", at: end) {
                emit("'t", upTo: position + 2)
                return emit(upTo: end)
            }
        }
        if let word = Self.shortened.first(where: { matches($0, at: position) }),
            word != "'n" || !isLetter(at: position + 2)
        {
            return emit(upTo: position + word.count)
        }
        if let end = yearEnd() { return emit(upTo: end) }
        let opens = isLetter(at: position + 1) && peek(2)?.isSpaceOrUnknown == false
        emit(opens ? "`" : "'", upTo: position + 1)
    }

    /// `'90s`, or `'05` before a space.
    private func yearEnd() -> Int? {
        let end = self.end(from: position + 1, while: \.isASCIIDigit)
        guard end == position + 3 else { return nil }
        if text[end - 1] == "0", matches("s", at: end), !isLetter(at: end + 1) { return end + 1 }
        return scalar(at: end)?.isSpaceOrUnknown ?? true ? end : nil
    }

    /// The end of `'s` and the like at an apostrophe, where no letter follows it.
    private func suffixEnd(at index: Int) -> Int? {
        for suffix in Self.suffixes where matches(suffix, at: index + 1) {
            let end = index + 1 + suffix.count
            if !isLetter(at: end) { return end }
        }
        return nil
    }

    func isLetter(at index: Int) -> Bool { scalar(at: index)?.isLetter == true }

    private func isCapitals(_ range: Range<Int>) -> Bool { text[range].allSatisfy(\.isASCIIUppercase) }
}
