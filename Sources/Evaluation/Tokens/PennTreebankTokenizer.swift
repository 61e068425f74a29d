/// Tokens of the Penn Treebank, in lower case, as the Stanford PTBTokenizer of CoreNLP 3.4.1 gives them with
/// `-preserveLines -lowerCase`: the tokeniser that coco-caption calls.
///
/// Written from how that program behaves, for English captions of one line. Known differences: it adds a full stop after an
/// abbreviation that seems to end a sentence; and telephone numbers, mixed numbers (`1 1/2`), money with a country's letters
/// (`US$5`), `c++`, backslashes, and entities of HTML but the commonest.
public enum PennTreebankTokenizer {
    /// The tokens of one caption, in order; brackets as `-lrb-`, double quotes as ``` `` ``` and `''`.
    public static func tokens(of text: String) -> [String] {
        var scanner = PennTreebankScanner(text)
        while scanner.scanToken() {}
        return scanner.tokens
    }
}

/// Reads a text from left to right; what a token is depends on what follows, never on what was read.
struct PennTreebankScanner {
    let text: [Unicode.Scalar]
    private(set) var tokens: [String] = []
    var position = 0

    init(_ string: String) {
        // A soft hyphen is not seen at all.
        text = string.unicodeScalars.filter { $0 != "\u{AD}" }
    }

    /// Reads one token (or two, where a word is split, or none, where a character has no meaning); false at the end.
    mutating func scanToken() -> Bool {
        guard position < text.count else { return false }
        let scalar = text[position]
        if scalar.isSpaceOrUnknown {
            position += 1
        } else if let end = emoticonEnd() {
            let emoticon = string(position..<end)
            emit(emoticon.replacing("(", with: "-lrb-").replacing(")", with: "-rrb-"), upTo: end)
        } else if let end = numberEnd() {
            emit(upTo: end)
        } else if scalar.isWordScalar {
            scanWord()
        } else if scalar.isApostrophe {
            scanApostrophe()
        } else {
            scanSymbol()
        }
        return true
    }

    /// The scalar so many places after `position`; nil beyond the end.
    func peek(_ offset: Int = 1) -> Unicode.Scalar? { scalar(at: position + offset) }

    func scalar(at index: Int) -> Unicode.Scalar? { text.indices.contains(index) ? text[index] : nil }

    /// The end of the scalars from `start` on that satisfy a condition.
    func end(from start: Int, while condition: (Unicode.Scalar) -> Bool) -> Int {
        var end = start
        while end < text.count, condition(text[end]) { end += 1 }
        return end
    }

    func string(_ range: Range<Int>) -> String {
        var string = String.UnicodeScalarView()
        string.append(contentsOf: text[range])
        return String(string)
    }

    /// Whether the text goes on so at an index, in upper or lower case.
    func matches(_ ascii: String, at index: Int) -> Bool {
        let end = index + ascii.unicodeScalars.count
        return end <= text.count
            && zip(ascii.unicodeScalars, text[index..<end]).allSatisfy {
                $0 == $1 || $0 == $1.lowercased || ($0 == "'" && $1.isApostrophe)
            }
    }

    /// Takes the text up to `end` as a token.
    mutating func emit(upTo end: Int) { emit(string(position..<end), upTo: end) }

    /// Takes the text up to `end`, and says what token it is.
    mutating func emit(_ token: String, upTo end: Int) {
        tokens.append(token.lowercased())
        position = end
    }
}

extension Unicode.Scalar {
    var isASCIIDigit: Bool { ("0"..."9").contains(self) }

    var isLetter: Bool {
        if isASCII { return ("a"..."z").contains(self) || ("A"..."Z").contains(self) }
        // The original reads 16-bit units, and drops what needs two of them.
        return value <= 0xFFFF && (properties.isAlphabetic || properties.generalCategory == .nonspacingMark)
            && properties.generalCategory != .letterNumber && !["ª", "º"].contains(self)
    }

    /// What words are made of: letters with their marks, and digits.
    var isWordScalar: Bool {
        isLetter || isASCIIDigit || (!isASCII && value <= 0xFFFF && properties.generalCategory == .decimalNumber)
    }

    var isApostrophe: Bool { self == "'" || self == "\u{2019}" }

    var isASCIIUppercase: Bool { ("A"..."Z").contains(self) }

    /// In lower case, for ASCII only.
    var lowercased: Unicode.Scalar {
        isASCIIUppercase ? Unicode.Scalar(UInt8(value) + 32) : self
    }

    /// White space, and what is dropped without a trace: control characters, invisible ones, those beyond 16 bits.
    var isSpaceOrUnknown: Bool {
        if isASCII { return value <= 0x20 || value == 0x7F }
        switch properties.generalCategory {
        case .spaceSeparator, .lineSeparator, .paragraphSeparator, .control, .format, .unassigned, .privateUse,
            .surrogate:
            return true
        default:
            return value > 0xFFFF || self == "\u{2010}" || self == "\u{2011}"
        }
    }
}
