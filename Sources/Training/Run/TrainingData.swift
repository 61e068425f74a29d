/// What training learns from, ready in memory.
public struct TrainingData: Sendable {
    public var captions: [EncodedCaption]
    /// Of each training image, its captions as words.
    public var references: [[[String]]]
    public var features: FeatureTable
    public var words: WordTable

    public init(corpus: TrainingCorpus, features: FeatureTable, words: WordTable) {
        captions = corpus.captions
        references = corpus.references
        self.features = features
        self.words = words
    }
}
