/// Words that keep the full stop after them.
extension PennTreebankScanner {
    private static func words(_ text: String) -> Set<String> { Set(text.split(separator: " ").map(String.init)) }

    /// In any case.
    private static let abbreviations = words(
        """
        adm adv ala apr ariz assoc asst atty aug ave bldg blvd bros brig calif capt cf cmdr co col colo conn corp cpl ct dak \
        dec dept dr drs ens esq est etc ext feb fla fri ft ga gen gov hon inc ind intl jan jr jul jun kan lieut lt ltd maj \
        mar md messrs mich minn mlle mme mo mon mont mr mrs ms msgr mt neb nev nov oct okla pfc ph plc pres prof pvt rd rep \
        reps rev rt sen sens sep sept sgt sq sr st ste supt tel tenn thu thurs tue tues univ vs vt wed wis wyo
        """)

    /// Only where the first letter is a capital; without it they are words.
    private static let capitalised = words("ark del ill mass miss ore pa tex wash")

    /// Only before a number.
    private static let numbered = words("fig figs no nos op pp prop")

    /// Words that begin a sentence, so that a single capital before them ended one.
    private static let sentenceStarts = words(
        "A An And At But He Her His I In It On She So That The There They This We You")

    /// Scalars of an acronym, at most; it keeps the time linear.
    private static let longest = 32

    /// Whether the full stop that follows this word belongs to it.
    func isAbbreviation(_ word: Range<Int>) -> Bool {
        let letters = text[word]
        guard let first = letters.first, first.isLetter, letters.count <= Self.longest else { return false }
        if word.count == 1 { return !sentenceStarts(after: word.upperBound + 1) }
        if isAcronym(letters) { return true }
        let lowercased = string(word).lowercased()
        if lowercased == "ph.d" || Self.abbreviations.contains(lowercased) { return true }
        if first.isASCIIUppercase, Self.capitalised.contains(lowercased) { return true }
        return Self.numbered.contains(lowercased) && beginsNumber(after: word.upperBound + 1)
    }

    /// Single letters with full stops between: `U.S`, `p.m`.
    private func isAcronym(_ letters: ArraySlice<Unicode.Scalar>) -> Bool {
        letters.count >= 3 && letters.count % 2 == 1
            && letters.enumerated().allSatisfy { $0.offset % 2 == 0 ? $0.element.isLetter : $0.element == "." }
    }

    private func sentenceStarts(after index: Int) -> Bool {
        let start = end(from: index, while: \.isSpaceOrUnknown)
        let end = self.end(from: start, while: \.isLetter)
        return start > index && Self.sentenceStarts.contains(string(start..<end))
            && scalar(at: end)?.isSpaceOrUnknown != false
    }

    private func beginsNumber(after index: Int) -> Bool {
        let start = end(from: index, while: \.isSpaceOrUnknown)
        return start > index && scalar(at: start)?.isASCIIDigit == true
    }
}
