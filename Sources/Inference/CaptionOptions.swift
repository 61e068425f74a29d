/// What the caller may choose for one image. The defaults are the bundle's.
public struct CaptionOptions: Sendable, Equatable {
    public static let beamRange = 1...10
    public static let maxWordsRange = 1...50

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

    /// - Throws: `InferenceError` with the code `option_out_of_range`.
    public func validate() throws(InferenceError) {
        func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws(InferenceError) {
            guard range.contains(value) else {
                throw InferenceError(
                    .optionOutOfRange, "\(name) is \(value); it must be \(range.lowerBound) to \(range.upperBound)")
            }
        }
        try check("beam", beam, Self.beamRange)
        try check("candidates", candidates, 1...beam)
        try check("max_words", maxWords, Self.maxWordsRange)
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
