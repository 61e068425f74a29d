import Foundation
import TestSupport
import Testing

@testable import Evaluation

@Suite("Metrics, against pycocoevalcap, sacrebleu and NLTK")
struct MetricsTests {
    private static func images(_ golden: GoldenMetrics) -> [CaptionedImage] {
        golden.captions.map { CaptionedImage(hypothesis: split($0.tokens), references: $0.referenceTokens.map(split)) }
    }

    @Test func corpusAgreesWithPycocoevalcap() throws {
        let golden = try GoldenMetrics.load()
        let values = CorpusScores(scoring: Self.images(golden)).values
        let bleu: [Metric] = [.bleu1, .bleu2, .bleu3, .bleu4]
        for (metric, expected) in zip(bleu, golden.scores.bleu) {
            #expect(try #require(values[metric]).isNear(expected))
        }
        #expect(try #require(values[.rougeL]).isNear(golden.scores.rougeL))
        #expect(try #require(values[.ciderD]).isNear(golden.scores.ciderD))
    }

    @Test func everyImageAgreesWithPycocoevalcap() throws {
        let golden = try GoldenMetrics.load()
        let scores = CorpusScores(scoring: Self.images(golden)).images
        #expect(scores.count == golden.scores.images.count)
        for (score, expected) in zip(scores, golden.scores.images) {
            #expect(zip(BLEU.scores(score.bleu), expected.bleu).allSatisfy { $0.isNear($1) })
            #expect(score.rougeL.isNear(expected.rougeL) && score.ciderD.isNear(expected.ciderD))
        }
    }

    private static func statistics(_ images: [CaptionedImage]) -> BLEU.Statistics {
        BLEU.statistics(images).reduce(into: .zero) { $0 += $1 }
    }

    @Test func corpusBLEUAgreesWithSacreBLEU() throws {
        let golden = try GoldenMetrics.load()
        let statistics = Self.statistics(Self.images(golden))
        let scores = BLEU.scores(statistics)
        let unpenalised = BLEU.scores(statistics, brevityPenalty: false)
        for (order, other) in golden.others.sacrebleu.enumerated() {
            #expect(scores[order].isNear(other.score))
            #expect((unpenalised[order] * other.brevityPenalty).isNear(scores[order]))
            #expect(BLEU.lengthRatio(statistics).isNear(other.ratio))
        }
        #expect(golden.others.sacrebleu[0].brevityPenalty < 1, "the penalty must play a part")
    }

    /// For fewer than four words NLTK counts otherwise.
    @Test func corpusBLEUAgreesWithNLTK() throws {
        let golden = try GoldenMetrics.load()
        let images = Self.images(golden).filter { $0.hypothesis.count >= 4 }
        #expect(images.count < golden.captions.count)
        for (score, other) in zip(BLEU.scores(Self.statistics(images)), golden.others.nltk) {
            #expect(score.isNear(other))
        }
    }

    @Test("Human captions of Flickr8k", .enabled(if: SharedFiles.isPresent, "shared/ is absent"))
    func agreesOnFlickr8k() throws {
        let golden = try GoldenMetrics.load().flickr8k
        let file = try CaptionFile(path: SharedFiles.url("flickr8k/Flickr8k.token.txt").path)
        let names = try SplitFile.images(path: SharedFiles.url("flickr8k/Flickr_8k.devImages.txt").path)
        let images = try names.map { name in
            let words = try #require(file.captions(of: name)).map(CaptionTokenizer.words)
            return CaptionedImage(hypothesis: words[0], references: Array(words[1...]))
        }
        let scores = CorpusScores(scoring: images)
        let values = scores.values
        for (metric, expected) in zip([Metric.bleu1, .bleu2, .bleu3, .bleu4], golden.bleu) {
            #expect(try #require(values[metric]).isNear(expected))
        }
        #expect(try #require(values[.rougeL]).isNear(golden.rougeL))
        #expect(try #require(values[.ciderD]).isNear(golden.ciderD))
        for (score, expected) in zip(scores.images, golden.firstImages) {
            #expect(score.rougeL.isNear(expected.rougeL) && score.ciderD.isNear(expected.ciderD))
        }
    }

    @Test func documentFrequenciesMayBeGiven() {
        let image = CaptionedImage(
            hypothesis: split("a red boat"), references: [split("a red boat"), split("the boat")])
        // Alone, nothing is rare.
        #expect(CorpusScores(scoring: [image]).images[0].ciderD == 0)
        let others = CIDErD(documents: [[split("a dog")], [split("a red cat")], [split("two boats")]])
        let known = CorpusScores(scoring: [image], documentFrequencies: others).images[0].ciderD
        #expect(known > 0 && known < 10)
    }

    @Test func aPerfectCaptionHasTheHighestScores() {
        let captions = [
            "a red boat lies at the pier", "two old dogs sleep on a couch", "snow falls on the mountain village",
        ]
        let images = captions.map { CaptionedImage(hypothesis: split($0), references: [split($0)]) }
        let values = CorpusScores(scoring: images).values
        #expect(values[.bleu4]?.isNear(1) == true && values[.rougeL] == 1 && values[.ciderD]?.isNear(10) == true)
        #expect(values[.lengthRatio]?.isNear(1) == true)
    }

    @Test func emptyCaptionsAreScored() {
        let images = [
            CaptionedImage(hypothesis: [], references: [["a"], ["b", "c"]]),
            CaptionedImage(hypothesis: ["a"], references: [[]]),
        ]
        let values = CorpusScores(scoring: images).values
        #expect(values.values.allSatisfy { $0.isFinite } && values[.rougeL] == 0)
        #expect(ROUGEL.longestCommonSubsequence(split("a b c d e"), split("b x d a e")) == 3)
    }
}
