/// What the caller may choose for one image. The defaults are the bundle's.
public struct CaptionOptions: Codable, Sendable, Equatable {
    /// Beams kept; 1 is greedy. 1...10.
    public var beam: Int
    /// How many of the best captions to return, at most `beam`.
    public var candidates: Int
    /// Steps at most, the end of the caption counted. 1...50.
    public var maxWords: Int

    public init(beam: Int = 3, candidates: Int = 1, maxWords: Int = 20) {
        self.beam = beam
        self.candidates = candidates
        self.maxWords = maxWords
    }
}

/// One caption with its score.
public struct CaptionCandidate: Sendable, Equatable {
    public var caption: String
    /// Sum of the words' natural log-probabilities, the end counted.
    public var logProbability: Float
    /// Log-probability ÷ (words + 1)^α for a finished caption, ÷ words^α for one that reached the limit.
    public var score: Float

    public init(caption: String, logProbability: Float, score: Float) {
        self.caption = caption
        self.logProbability = logProbability
        self.score = score
    }
}
