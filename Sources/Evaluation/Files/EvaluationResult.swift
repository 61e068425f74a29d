import Foundation

/// The scores of one captioner on one set of images, as they are stored and compared.
public struct EvaluationResult: Sendable, Equatable, Codable {
    public static let currentFormat = "kaption-evaluation/1"

    /// One image's caption and scores.
    public struct Image: Sendable, Equatable, Codable {
        public var image: String
        public var caption: String
        public var references: [String]
        /// BLEU-1 to BLEU-4 of this caption alone. Few captions have a 4-gram in common with their references.
        public var bleu: [Double]
        public var scores: ImageScores

        enum CodingKeys: String, CodingKey {
            case image, caption, references, bleu, scores
        }
    }

    /// A score of the corpus with its 95% interval.
    public struct Score: Sendable, Equatable, Codable {
        public var value: Double
        public var interval: Bootstrap.Interval
    }

    public var format = currentFormat
    /// Which captioner: a model's name, version and digest, or a file's name.
    public var captioner: String
    /// How the scores were computed; scores with different signatures cannot be compared.
    public var signature: String
    public var bootstrap: Bootstrap
    /// By `Metric.rawValue`.
    public var scores: [String: Score]
    public var images: [Image]

    /// Tokenises and scores captions.
    ///
    /// - Parameters:
    ///   - captions: image, caption and references of each; at least one reference.
    ///   - documents: references of other images for CIDEr-D's document frequencies, an array an image; nil takes those of
    ///     the images scored.
    ///   - documentsName: what the signature calls `documents`.
    public init(
        captioner: String, captions: [(image: String, caption: String, references: [String])],
        documents: [[String]]? = nil, documentsName: String = "given", bootstrap: Bootstrap = .init()
    ) {
        let tokenised = captions.map {
            CaptionedImage(
                hypothesis: CaptionTokenizer.words(of: $0.caption),
                references: $0.references.map(CaptionTokenizer.words))
        }
        let frequencies = documents.map { CIDErD(documents: $0.map { $0.map(CaptionTokenizer.words) }) }
        let corpus = CorpusScores(scoring: tokenised, documentFrequencies: frequencies)
        let values = corpus.values
        let intervals = bootstrap.intervals(corpus)
        self.captioner = captioner
        self.bootstrap = bootstrap
        signature =
            Signature(
                images: tokenised, documentFrequencies: documents == nil ? "corpus" : documentsName
            ).description
        scores = Dictionary(
            uniqueKeysWithValues: Metric.allCases.compactMap { metric in
                guard let value = values[metric], let interval = intervals[metric] else { return nil }
                return (metric.rawValue, Score(value: value, interval: interval))
            })
        images = zip(captions, corpus.images).map { caption, scores in
            Image(
                image: caption.image, caption: caption.caption, references: caption.references,
                bleu: BLEU.scores(scores.bleu), scores: scores)
        }
    }

    public func score(_ metric: Metric) -> Score? { scores[metric.rawValue] }

    /// Reads what `json()` wrote.
    ///
    /// - Throws: `CaptionFileError`.
    public init(path: String) throws(CaptionFileError) {
        let data = try CaptionFile.read(path)
        do {
            self = try JSONDecoder().decode(Self.self, from: data)
        } catch {
            throw CaptionFileError("\(path): not a results file of kaption-model evaluate --output")
        }
        guard format == Self.currentFormat else {
            throw CaptionFileError("\(path): of the format '\(format)'; this program reads \(Self.currentFormat)")
        }
        let orders = NGramTable.orders
        let isWhole = images.allSatisfy {
            $0.bleu.count == orders && $0.scores.bleu.matches.count == orders && $0.scores.bleu.total.count == orders
        }
        guard isWhole, !images.isEmpty else { throw CaptionFileError("\(path): damaged: scores of images are missing") }
    }

    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self) + Data("\n".utf8)
    }

    /// Compares two captioners by a paired bootstrap test, image by image.
    ///
    /// - Throws: `CaptionFileError` where they were not measured on the same images in the same way.
    public static func compare(
        _ first: Self, _ second: Self, bootstrap: Bootstrap
    ) throws(CaptionFileError) -> [Metric: Bootstrap.Difference] {
        guard first.signature == second.signature else {
            throw CaptionFileError(
                "not measured in the same way, so not comparable:\n  \(first.signature)\n  \(second.signature)")
        }
        let places = Dictionary(second.images.enumerated().map { ($1.image, $0) }) { $1 }
        let order = first.images.compactMap { places[$0.image] }
        guard order.count == first.images.count, order.count == second.images.count, places.count == order.count else {
            throw CaptionFileError("not comparable: they are of different images")
        }
        return bootstrap.compare(
            CorpusScores(images: first.images.map(\.scores)),
            CorpusScores(images: order.map { second.images[$0].scores }))
    }
}
