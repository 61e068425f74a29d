/// ROUGE-L (Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004), as coco-caption computes it: the
/// F-measure, β = 1.2, of the longest common subsequence; precision and recall are each the best over the references.
public enum ROUGEL {
    public static let beta = 1.2

    /// The score of one caption, 0...1.
    public static func score(_ image: CaptionedImage) -> Double {
        var precision = 0.0
        var recall = 0.0
        // A caption without words counts as one empty word, as coco-caption's splitting makes it.
        let hypothesis = image.hypothesis.isEmpty ? [""] : image.hypothesis
        for reference in image.references {
            let reference = reference.isEmpty ? [""] : reference
            let common = Double(longestCommonSubsequence(hypothesis, reference))
            precision = max(precision, common / Double(hypothesis.count))
            recall = max(recall, common / Double(reference.count))
        }
        guard precision > 0, recall > 0 else { return 0 }
        let square = beta * beta
        return (1 + square) * precision * recall / (recall + square * precision)
    }

    /// Its length in words, by dynamic programming, O(words²) time and O(words) memory.
    static func longestCommonSubsequence(_ first: [String], _ second: [String]) -> Int {
        var lengths = [Int](repeating: 0, count: second.count + 1)
        for word in first {
            var diagonal = 0
            for (column, other) in second.enumerated() {
                let above = lengths[column + 1]
                lengths[column + 1] = word == other ? diagonal + 1 : max(above, lengths[column])
                diagonal = above
            }
        }
        return lengths[second.count]
    }
}
