/// A caption to be scored, with what people wrote of the same image. Both are lists of words, in general those of
/// `CaptionTokenizer`.
public struct CaptionedImage: Sendable, Equatable {
    public var hypothesis: [String]
    /// At least one.
    public var references: [[String]]

    public init(hypothesis: [String], references: [[String]]) {
        precondition(!references.isEmpty, "a caption is scored against at least one reference")
        self.hypothesis = hypothesis
        self.references = references
    }
}
