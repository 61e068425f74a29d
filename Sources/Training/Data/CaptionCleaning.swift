import Evaluation

/// Makes words of a caption: those that scores are computed on (lower case, without punctuation), and of these only what has
/// a letter or a digit. Numbers are words as they stand.
public struct CaptionCleaning: Sendable, Equatable, Codable {
    /// A caption with more words is left out of training.
    public var maximumWords: Int

    public init(maximumWords: Int = 30) { self.maximumWords = maximumWords }

    /// Why a caption is not used.
    public enum Refusal: String, Sendable, Error, CaseIterable {
        case empty = "without a word"
        case long = "too long"
    }

    public func words(of caption: String) -> [String] {
        CaptionTokenizer.words(of: caption).filter { word in
            word.unicodeScalars.contains { $0.properties.isAlphabetic || $0.properties.numericType != nil }
        }
    }

    /// The words of a caption to train on, or why it is refused.
    public func trainingWords(of caption: String) -> Result<[String], Refusal> {
        let words = words(of: caption)
        if words.isEmpty { return .failure(.empty) }
        return words.count > maximumWords ? .failure(.long) : .success(words)
    }
}
