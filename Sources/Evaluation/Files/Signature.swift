/// One line that says how scores were computed, as sacrebleu's signatures do (Post, "A Call for Clarity in Reporting BLEU
/// Scores", 2018). Equal signatures mean comparable scores.
struct Signature: CustomStringConvertible {
    var images: Int
    /// `5`, or `4-6` where images differ.
    var references: String
    /// Of all references' words, whatever the order of the images.
    var digest: UInt64
    var documentFrequencies: String

    init(images: [CaptionedImage], documentFrequencies: String) {
        self.images = images.count
        self.documentFrequencies = documentFrequencies
        let counts = images.map(\.references.count)
        let (least, most) = (counts.min() ?? 0, counts.max() ?? 0)
        references = least == most ? "\(least)" : "\(least)-\(most)"
        digest = images.reduce(0) { $0 &+ Self.digest($1.references) }
    }

    var description: String {
        let hexadecimal = String(digest, radix: 16)
        return [
            "images:\(images)", "refs:\(references)",
            "refs-fnv1a:" + String(repeating: "0", count: 16 - hexadecimal.count) + hexadecimal,
            "tok:ptb-3.4.1-lower-nopunct",
            "bleu:corpus-closest-eps", "rouge-l:beta\(ROUGEL.beta)-max",
            "cider-d:n4-sigma\(Int(CIDErD.sigma))-df-\(documentFrequencies)",
            "version:1",
        ].joined(separator: "|")
    }

    /// FNV-1a, 64 bits (Fowler, Noll and Vo).
    private static func digest(_ references: [[String]]) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for reference in references {
            for byte in reference.joined(separator: " ").utf8 + [10] {
                hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
            }
        }
        return hash
    }
}
