/// Words of a caption as coco-caption scores them (Chen et al., "Microsoft COCO Captions", 2015): tokens of the Penn
/// Treebank in lower case, without punctuation.
public enum CaptionTokenizer {
    /// What coco-caption takes for punctuation. Tokens such as `!!` or `*` are not in its list and stay.
    static let punctuation: Set<String> = [
        "''", "'", "``", "`", "-LRB-", "-RRB-", "-LCB-", "-RCB-", ".", "?", "!", ",", ":", "-", "--", "...", ";",
    ]

    /// The words of one caption, in order. Brackets stay as `-lrb-` and the like: coco-caption's list has them in upper
    /// case only, but it looks at tokens in lower case.
    public static func words(of caption: String) -> [String] {
        PennTreebankTokenizer.tokens(of: caption).filter { !punctuation.contains($0) }
    }
}
