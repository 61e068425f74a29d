/// A measure of a whole set of captions.
public enum Metric: String, Sendable, CaseIterable, Codable {
    case bleu1 = "BLEU-1"
    case bleu2 = "BLEU-2"
    case bleu3 = "BLEU-3"
    case bleu4 = "BLEU-4"
    /// Without brevity penalty.
    case bleu1Unpenalised = "BLEU-1 no BP"
    case bleu2Unpenalised = "BLEU-2 no BP"
    case bleu3Unpenalised = "BLEU-3 no BP"
    case bleu4Unpenalised = "BLEU-4 no BP"
    case lengthRatio = "length ratio"
    case rougeL = "ROUGE-L"
    case ciderD = "CIDEr-D"
}

/// What is known of one image's caption: enough to score any selection of images together.
public struct ImageScores: Sendable, Equatable, Codable {
    public var bleu: BLEU.Statistics
    public var rougeL: Double
    public var ciderD: Double

    enum CodingKeys: String, CodingKey {
        case bleu
        case rougeL = "rouge_l"
        case ciderD = "cider_d"
    }
}

/// Scores of captions: each image's, and the corpus's.
public struct CorpusScores: Sendable, Equatable {
    /// In the order of the images.
    public var images: [ImageScores]

    public init(images: [ImageScores]) { self.images = images }

    /// - Parameter documentFrequencies: for CIDEr-D; nil takes them from the references of these images.
    public init(scoring images: [CaptionedImage], documentFrequencies: CIDErD? = nil) {
        let bleu = BLEU.statistics(images)
        let cider = (documentFrequencies ?? CIDErD(documents: images.map(\.references))).scores(images)
        self.images = images.indices.map { index in
            ImageScores(bleu: bleu[index], rougeL: ROUGEL.score(images[index]), ciderD: cider[index])
        }
    }

    /// All measures of the corpus.
    public var values: [Metric: Double] { values(selecting: images.indices) }

    /// All measures of a selection of the images, any number of times each: CIDEr-D with the whole corpus's document
    /// frequencies.
    public func values(selecting indices: some Sequence<Int>) -> [Metric: Double] {
        var bleu = BLEU.Statistics.zero
        var rougeL = 0.0
        var ciderD = 0.0
        var count = 0.0
        for index in indices {
            bleu += images[index].bleu
            rougeL += images[index].rougeL
            ciderD += images[index].ciderD
            count += 1
        }
        let penalised = BLEU.scores(bleu)
        let plain = BLEU.scores(bleu, brevityPenalty: false)
        return [
            .bleu1: penalised[0], .bleu2: penalised[1], .bleu3: penalised[2], .bleu4: penalised[3],
            .bleu1Unpenalised: plain[0], .bleu2Unpenalised: plain[1], .bleu3Unpenalised: plain[2],
            .bleu4Unpenalised: plain[3], .lengthRatio: BLEU.lengthRatio(bleu),
            .rougeL: count > 0 ? rougeL / count : 0, .ciderD: count > 0 ? ciderD / count : 0,
        ]
    }
}
