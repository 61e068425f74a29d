import Evaluation
import Foundation

/// What a sampled caption earns: CIDEr-D, with document frequencies from the training captions, and if wanted BLEU-4. The end of a caption is a
/// word of hypothesis and references, so that a caption that stops in mid-phrase earns less.
public struct ConsensusReward: Sendable {
    static let end = "<end>"

    private let references: [[[String]]]
    private let measure: CIDErD
    private let bleuWeight: Double

    /// - Parameters:
    ///   - references: of each training image, its captions as words.
    ///   - bleuWeight: what a caption's BLEU-4 is multiplied by before it is added.
    public init(references: [[[String]]], bleuWeight: Double = 0) {
        self.references = references.map { $0.map { $0 + [Self.end] } }
        self.bleuWeight = bleuWeight
        measure = CIDErD(documents: self.references)
    }

    /// Rewards of captions: CIDEr-D, 0...10, and the weight times BLEU-4, 0...1.
    ///
    /// - Parameter captions: the number of the image, the words, and whether the end was reached.
    public func rewards(_ captions: [(image: Int, words: [String], ends: Bool)]) -> [Double] {
        let images = captions.map { caption in
            CaptionedImage(
                hypothesis: caption.ends ? caption.words + [Self.end] : caption.words,
                references: references[caption.image])
        }
        let consensus = measure.scores(images)
        guard bleuWeight > 0 else { return consensus }
        return zip(consensus, BLEU.statistics(images)).map { $0 + bleuWeight * Self.smoothedBLEU($1) }
    }

    /// BLEU-4 of one caption, with 1 added to matches and totals of 2-grams and longer, so that a caption without a common 4-gram still earns
    /// something (Lin and Och, "ORANGE: a Method for Evaluating Automatic Evaluation Metrics for Machine Translation", 2004).
    static func smoothedBLEU(_ statistics: BLEU.Statistics) -> Double {
        guard statistics.length > 0, statistics.matches[0] > 0 else { return 0 }
        let logarithms = statistics.matches.indices.map { order in
            let added = order > 0 ? 1.0 : 0
            return log((Double(statistics.matches[order]) + added) / (Double(statistics.total[order]) + added))
        }
        let mean = logarithms.reduce(0, +) / Double(logarithms.count)
        let ratio = Double(statistics.referenceLength) / Double(statistics.length)
        return exp(mean + min(0, 1 - ratio))
    }
}
