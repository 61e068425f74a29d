/// One caption to learn: of which image, and its words' ids without start and end.
public struct EncodedCaption: Sendable, Equatable {
    public var image: Int
    public var words: [Int32]

    public init(image: Int, words: [Int32]) {
        self.image = image
        self.words = words
    }
}

/// Captions made ready for training, and what was found on the way.
public struct TrainingCorpus: Sendable {
    public let captions: [EncodedCaption]
    /// Each training image's captions as words, for rewards.
    public let references: [[[String]]]
    public let summary: Summary

    public struct Summary: Sendable, Equatable {
        public var images = 0
        public var captions = 0
        /// Running words, and different ones.
        public var words = 0
        public var differentWords = 0
        public var vocabulary = 0
        /// The share of running words that the vocabulary has.
        public var coverage = 0.0
        public var longest = 0
        public var dropped: [String: Int] = [:]
        public var developmentImages = 0
        public var developmentCoverage = 0.0
    }

    /// How often each word occurs in the captions that training uses.
    public static func wordCounts(_ split: CaptionSplit, cleaning: CaptionCleaning) -> [String: Int] {
        var counts: [String: Int] = [:]
        for caption in split.captions.joined() {
            guard case .success(let words) = cleaning.trainingWords(of: caption) else { continue }
            for word in words { counts[word, default: 0] += 1 }
        }
        return counts
    }

    public init(train: CaptionSplit, development: CaptionSplit, words table: WordTable, cleaning: CaptionCleaning) {
        var summary = Summary()
        var captions: [EncodedCaption] = []
        var references: [[[String]]] = []
        var different: Set<String> = []
        var known = 0
        for (image, texts) in train.captions.enumerated() {
            var ofImage: [[String]] = []
            for text in texts {
                switch cleaning.trainingWords(of: text) {
                case .success(let words):
                    captions.append(EncodedCaption(image: image, words: table.encode(words)))
                    ofImage.append(words)
                    different.formUnion(words)
                    known += words.count { table.contains($0) }
                    summary.words += words.count
                    summary.longest = max(summary.longest, words.count)
                case .failure(let reason): summary.dropped[reason.rawValue, default: 0] += 1
                }
            }
            references.append(ofImage)
        }
        summary.images = train.images.count
        summary.captions = captions.count
        summary.differentWords = different.count
        summary.vocabulary = table.count
        summary.coverage = Double(known) / Double(max(summary.words, 1))
        summary.developmentImages = development.images.count
        let words = development.captions.joined().flatMap { cleaning.words(of: $0) }
        summary.developmentCoverage = Double(words.count { table.contains($0) }) / Double(max(words.count, 1))
        self.captions = captions
        self.references = references
        self.summary = summary
    }
}

extension TrainingCorpus.Summary {
    /// Lines for a person.
    public var lines: [String] {
        func percent(_ share: Double) -> String { "\((share * 10_000).rounded() / 100)%" }
        var lines = [
            "train        \(images) images, \(captions) captions, \(words) words, the longest caption \(longest)",
            "vocabulary   \(vocabulary) of \(differentWords) different words, "
                + "\(percent(coverage)) of the running words",
            "development  \(developmentImages) images, \(percent(developmentCoverage)) of their words are known",
        ]
        if !dropped.isEmpty {
            let reasons = dropped.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
            lines.append("dropped      captions: \(reasons.joined(separator: ", "))")
        }
        return lines
    }
}
