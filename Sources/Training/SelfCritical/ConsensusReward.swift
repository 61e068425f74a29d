import Evaluation

/// CIDEr-D as a reward: document frequencies from the training captions, and the end of a caption a word of hypothesis and references, so
/// that a caption that stops in mid-phrase earns less.
public struct ConsensusReward: Sendable {
    static let end = "<end>"

    private let references: [[[String]]]
    private let measure: CIDErD

    /// - Parameter references: of each training image, its captions as words.
    public init(references: [[[String]]]) {
        self.references = references.map { $0.map { $0 + [Self.end] } }
        measure = CIDErD(documents: self.references)
    }

    /// Rewards of captions, 0...10 each.
    ///
    /// - Parameter captions: the number of the image, the words, and whether the end was reached.
    public func rewards(_ captions: [(image: Int, words: [String], ends: Bool)]) -> [Double] {
        measure.scores(
            captions.map { caption in
                CaptionedImage(
                    hypothesis: caption.ends ? caption.words + [Self.end] : caption.words,
                    references: references[caption.image])
            })
    }
}
