/// Gives every n-gram a number, so that sentences are counted and compared by small keys.
///
/// An n-gram is known by the number of its first n − 1 words and its last word: one dictionary for all lengths.
struct NGramTable {
    /// The longest n-grams that are counted.
    static let orders = 4

    private struct Key: Hashable {
        var prefix: Int32
        var word: Int32
    }

    private var words: [String: Int32] = [:]
    private var numbers: [Key: Int32] = [:]

    /// How often each n-gram occurs in a sentence, for n = 1...4.
    struct Counts: Sendable {
        /// By n − 1.
        var byOrder = [[Int32: Int]](repeating: [:], count: orders)
        /// Of the sentence.
        var words = 0
    }

    mutating func counts(_ sentence: [String]) -> Counts {
        var counts = Counts()
        counts.words = sentence.count
        let identifiers = sentence.map { identifier(of: $0) }
        for start in identifiers.indices {
            var prefix: Int32 = -1
            for (order, word) in identifiers[start...].prefix(Self.orders).enumerated() {
                prefix = number(of: Key(prefix: prefix, word: word))
                counts.byOrder[order][prefix, default: 0] += 1
            }
        }
        return counts
    }

    private mutating func identifier(of word: String) -> Int32 {
        if let known = words[word] { return known }
        let new = Int32(words.count)
        words[word] = new
        return new
    }

    private mutating func number(of key: Key) -> Int32 {
        if let known = numbers[key] { return known }
        let new = Int32(numbers.count)
        numbers[key] = new
        return new
    }
}
