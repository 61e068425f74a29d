import Foundation

/// BLEU (Papineni et al., "BLEU: a Method for Automatic Evaluation of Machine Translation", 2002), as coco-caption
/// computes it: of a corpus, the effective reference length being the sum of the closest ones.
///
/// BLEU-n is the geometric mean of the clipped precisions of 1-grams to n-grams, times the brevity penalty
/// exp(1 − reference length ÷ length) of captions that are too short.
public enum BLEU {
    /// What BLEU counts in one caption. The sum over images gives the corpus's score.
    public struct Statistics: Sendable, Equatable, Codable {
        /// n-grams that a reference has too, each at most as often as in the reference that has it most; by n − 1.
        public var matches: [Int]
        /// n-grams of the caption, by n − 1.
        public var total: [Int]
        /// Words of the caption.
        public var length: Int
        /// Words of the reference nearest in length; of two as near, the shorter.
        public var referenceLength: Int

        public static var zero: Self {
            Statistics(
                matches: Array(repeating: 0, count: NGramTable.orders),
                total: Array(repeating: 0, count: NGramTable.orders),
                length: 0, referenceLength: 0)
        }

        enum CodingKeys: String, CodingKey {
            case matches, total, length
            case referenceLength = "reference_length"
        }

        public static func += (sum: inout Self, other: Self) {
            for order in 0..<NGramTable.orders {
                sum.matches[order] += other.matches[order]
                sum.total[order] += other.total[order]
            }
            sum.length += other.length
            sum.referenceLength += other.referenceLength
        }
    }

    /// coco-caption adds these, so that nothing is divided by zero. A precision without a match is then not quite 0.
    private static let epsilon = (matches: 1e-15, total: 1e-9)

    public static func statistics(_ images: [CaptionedImage]) -> [Statistics] {
        var table = NGramTable()
        return images.map { image in
            let hypothesis = table.counts(image.hypothesis)
            let references = image.references.map { table.counts($0) }
            var statistics = Statistics.zero
            statistics.length = hypothesis.words
            statistics.referenceLength =
                references.map(\.words).min { first, second in
                    (abs(first - hypothesis.words), first) < (abs(second - hypothesis.words), second)
                } ?? 0
            for order in 0..<NGramTable.orders {
                statistics.total[order] = max(0, hypothesis.words - order)
                statistics.matches[order] = hypothesis.byOrder[order].reduce(0) { sum, entry in
                    let most = references.reduce(0) { max($0, $1.byOrder[order][entry.key] ?? 0) }
                    return sum + min(entry.value, most)
                }
            }
            return statistics
        }
    }

    /// BLEU-1 to BLEU-4, each 0...1.
    ///
    /// - Parameter brevityPenalty: without it, what is too short is not punished (Xu et al. report so).
    public static func scores(_ statistics: Statistics, brevityPenalty: Bool = true) -> [Double] {
        let penalty = brevityPenalty ? self.brevityPenalty(statistics) : 1
        var product = 1.0
        return (0..<NGramTable.orders).map { order in
            product *=
                (Double(statistics.matches[order]) + epsilon.matches)
                / (Double(statistics.total[order]) + epsilon.total)
            return pow(product, 1 / Double(order + 1)) * penalty
        }
    }

    /// Words of captions for each word of the references nearest in length.
    public static func lengthRatio(_ statistics: Statistics) -> Double {
        (Double(statistics.length) + epsilon.matches) / (Double(statistics.referenceLength) + epsilon.total)
    }

    private static func brevityPenalty(_ statistics: Statistics) -> Double {
        let ratio = lengthRatio(statistics)
        return ratio < 1 ? exp(1 - 1 / ratio) : 1
    }
}
