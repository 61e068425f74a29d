import Foundation
import TestSupport
import Testing

@testable import Evaluation

struct BootstrapTests {
    /// Images with ROUGE-L scores around a mean, and BLEU counts to go with them.
    private func corpus(_ count: Int, mean: Double, seed: UInt64) -> CorpusScores {
        var generator = SeededGenerator(seed)
        return CorpusScores(
            images: (0..<count).map { _ in
                let score = mean + Double.random(in: -0.2...0.2, using: &generator)
                let matches = Int((score * 10).rounded())
                return ImageScores(
                    bleu: .init(matches: [matches, 1, 1, 1], total: [10, 9, 8, 7], length: 10, referenceLength: 10),
                    rougeL: score, ciderD: score)
            })
    }

    @Test func theIntervalOfAMeanIsThatOfItsStandardError() throws {
        let scores = corpus(400, mean: 0.5, seed: 1)
        let interval = try #require(Bootstrap(resamples: 2000, seed: 3).intervals(scores)[.rougeL])
        let values = scores.images.map(\.rougeL)
        let mean = values.reduce(0, +) / 400
        let error = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 400 / 400).squareRoot()
        #expect(interval.lower.isNear(mean - 1.96 * error, within: 0.15 * error))
        #expect(interval.upper.isNear(mean + 1.96 * error, within: 0.15 * error))
    }

    @Test func aSeedGivesTheSameNumbersAnotherOneOthers() {
        let scores = corpus(50, mean: 0.4, seed: 2)
        let first = Bootstrap(resamples: 200, seed: 5).intervals(scores)
        #expect(first == Bootstrap(resamples: 200, seed: 5).intervals(scores))
        #expect(first != Bootstrap(resamples: 200, seed: 6).intervals(scores))
    }

    @Test func aLargeDifferenceIsSignificantNoneIsNot() throws {
        let first = corpus(200, mean: 0.4, seed: 1)
        let bootstrap = Bootstrap(resamples: 500)
        let better = try #require(bootstrap.compare(first, corpus(200, mean: 0.5, seed: 2))[.rougeL])
        #expect(better.pValue < 0.01 && better.difference > 0.05 && better.interval.lower > 0)
        let same = try #require(bootstrap.compare(first, first)[.bleu4])
        #expect(same.pValue == 1 && same.difference == 0 && same.interval == .init(lower: 0, upper: 0))
        let alike = try #require(bootstrap.compare(first, corpus(200, mean: 0.4, seed: 9))[.ciderD])
        #expect(alike.pValue > 0.05)
    }

    @Test func percentilesInterpolate() {
        #expect(Bootstrap.percentile(50, of: [1, 2, 3, 4]) == 2.5)
        #expect(Bootstrap.percentile(0, of: [1, 2]) == 1 && Bootstrap.percentile(100, of: [1, 2]) == 2)
        #expect(Bootstrap.percentile(97.5, of: [7]) == 7)
    }
}
