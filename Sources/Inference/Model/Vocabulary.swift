import Foundation

/// The words that a decoder knows, by token id.
public struct Vocabulary: Sendable, Equatable {
    /// The word of each id.
    public let words: [String]

    public var count: Int { words.count }

    /// Upper limits on a vocabulary file, far above any real one.
    static let maximumBytes = 64 << 20
    static let maximumWords = 1 << 20
    static let maximumWordBytes = 256

    /// - Throws: `ModelError` where a word is empty, too long, listed twice, or holds a control character.
    public init(words: [String]) throws(ModelError) {
        guard !words.isEmpty else { throw ModelError("the vocabulary is empty") }
        guard words.count <= Self.maximumWords else {
            throw ModelError("the vocabulary has \(words.count) words, more than \(Self.maximumWords)")
        }
        var seen: Set<String> = []
        for (id, word) in words.enumerated() {
            guard !word.isEmpty, word.utf8.count <= Self.maximumWordBytes else {
                throw ModelError(
                    "the vocabulary's line \(id + 1) is empty or longer than \(Self.maximumWordBytes) bytes")
            }
            guard word.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
                throw ModelError("the vocabulary's line \(id + 1) holds a control character")
            }
            guard seen.insert(word).inserted else {
                throw ModelError("the vocabulary's line \(id + 1) repeats \"\(word)\"")
            }
        }
        self.words = words
    }

    /// Reads the text of a vocabulary file: UTF-8, line number (from zero) = token id, the last line ended or not.
    init(text: UnsafeRawBufferPointer) throws(ModelError) {
        guard text.count <= Self.maximumBytes else { throw ModelError("the vocabulary is larger than 64 MiB") }
        guard let string = String(validating: text, as: UTF8.self) else {
            throw ModelError("the vocabulary is not UTF-8")
        }
        var lines = string.utf8.split(separator: 0x0a, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        try self.init(words: lines.map { String(Substring($0)) })
    }

    /// The file's text, every line ended.
    var text: Data { Data(words.map { $0 + "\n" }.joined().utf8) }
}
