import Inference

/// The words that a decoder learns, by token id: four special ones, then the others.
public struct WordTable: Sendable, Equatable {
    /// Written in angle brackets, which no cleaned word has.
    public static let specialWords = ["<pad>", "<start>", "<end>", "<unk>"]

    public private(set) var words: [String]
    public let tokens: ModelManifest.Decoder.Tokens
    private var ids: [String: Int32]

    /// The words that occur at least `minimumCount` times, the most frequent first; of equally frequent ones by the order of
    /// their bytes.
    public init(counts: [String: Int], minimumCount: Int) {
        self.init(words: Self.specialWords + Self.frequent(counts, minimumCount), tokens: .init())
    }

    /// The words of a model that is there already.
    public init(words: [String], tokens: ModelManifest.Decoder.Tokens) {
        self.words = words
        self.tokens = tokens
        ids = Dictionary(words.enumerated().map { ($1, Int32($0)) }) { first, _ in first }
    }

    public var count: Int { words.count }

    /// Adds the frequent words that are not there yet, behind the others, so that ids stay as they are.
    ///
    /// - Returns: how many were added.
    public mutating func extend(counts: [String: Int], minimumCount: Int) -> Int {
        let new = Self.frequent(counts, minimumCount).filter { ids[$0] == nil }
        self = WordTable(words: words + new, tokens: tokens)
        return new.count
    }

    public func contains(_ word: String) -> Bool { ids[word] != nil }

    /// Ids of words; those not known become the unknown token.
    public func encode(_ words: [String]) -> [Int32] { words.map { ids[$0] ?? Int32(tokens.unknown) } }

    private static func frequent(_ counts: [String: Int], _ minimumCount: Int) -> [String] {
        counts.filter { $0.value >= minimumCount }.sorted { first, second in
            first.value == second.value
                ? first.key.utf8.lexicographicallyPrecedes(second.key.utf8) : first.value > second.value
        }.map(\.key)
    }
}
