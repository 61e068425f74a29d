import Evaluation
import Foundation
import Testing

@testable import Training

@Suite("Self-critical training")
struct SelfCriticalTests {
    private func sample(_ model: TinyModel, _ count: Int, greedy: Bool = false, most: Int = 12) -> [CaptionSampler
        .Sample]
    {
        let sampler = CaptionSampler(shape: model.shape, threads: 1)
        sampler.prepare(model.weights)
        let streams = (0..<count).map { greedy ? nil : RandomStream(seed: UInt64($0), .samples) }
        return sampler.sample(
            [(0, 0)], streams: streams, tokens: .init(), most: most, weights: model.weights, table: model.features)
    }

    /// The share of the samples that are one certain caption is its probability, which the loss says.
    @Test func samplesAreDrawnFromTheDistribution() {
        let model = TinyModel(words: 6)
        let samples = sample(model, 20_000, most: 2)
        for first in [Int32(3), 4, 5] {
            for second in [Int32(3), 4] {
                var one = model
                one.captions = [BatchCaption(image: 0, words: [first, second], ends: false)]
                let reference = ReferenceDecoder(one.weights)
                let loss = reference.loss(one.captions, features: one.feature, smoothing: 0)
                let probability = exp(-loss)
                let share = Double(samples.count { $0.words == [first, second] }) / 20_000
                #expect(abs(share - probability) < 4 * (probability / 20_000).squareRoot() + 1e-3)
            }
        }
        #expect(samples.allSatisfy { $0.words.count <= 2 && ($0.ends || $0.words.count == 2) })
    }

    @Test func greedyTakesTheMostProbableWord() {
        let model = TinyModel(words: 6)
        let greedy = sample(model, 1, greedy: true, most: 1)[0]
        let chosen: Int32 = greedy.ends ? 2 : greedy.words[0]
        let reference = ReferenceDecoder(model.weights)
        let losses = (Int32(0)..<6).map { word in
            reference.loss(
                [BatchCaption(image: 0, words: word == 2 ? [] : [word], ends: word == 2)], features: model.feature,
                smoothing: 0)
        }
        #expect(losses.indices.min { losses[$0] < losses[$1] } == Int(chosen))
    }

    @Test func endIsAWordOfTheReward() {
        let references = [
            [["a", "dog", "runs", "on", "grass"], ["the", "dog", "is", "on", "the", "grass"]],
            [["two", "cats", "sleep"], ["cats", "on", "a", "sofa"]], [["a", "red", "boat"], ["the", "boat"]],
        ]
        let reward = ConsensusReward(references: references)
        let rewards = reward.rewards([
            (0, ["a", "dog", "runs", "on", "grass"], true), (0, ["a", "dog", "runs", "on", "grass"], false),
            (0, ["a", "dog", "runs", "on"], true), (1, ["a", "dog", "runs", "on", "grass"], true),
        ])
        #expect(rewards[0] > rewards[1] && rewards[1] > rewards[2] && rewards[3] < rewards[2])
        // The same as CIDEr-D over references that end in a word of their own.
        let ended = references.map { $0.map { $0 + ["<end>"] } }
        let expected = CIDErD(documents: ended).scores([
            CaptionedImage(hypothesis: ["a", "dog", "runs", "on", "grass", "<end>"], references: ended[0])
        ])
        #expect(rewards[0] == expected[0])
    }

    /// Against a hand's computation: "a dog runs <end>" shares 4 of 4, 2 of 3, 1 of 2 and 0 of 1 n-grams with the reference.
    @Test func blendOfBLEUIsAddedToTheReward() {
        let references = [[["a", "dog", "runs", "fast"]], [["two", "cats", "sleep"]]]
        let captions = [(image: 0, words: ["a", "dog", "runs"], ends: true), (image: 0, words: ["x"], ends: false)]
        let plain = ConsensusReward(references: references).rewards(captions)
        let blend = ConsensusReward(references: references, bleuWeight: 2).rewards(captions)
        let precisions = [1.0, 3.0 / 4, 2.0 / 3, 1.0 / 2]
        let expected = pow(precisions.reduce(1, *), 0.25) * exp(1 - 5.0 / 4)
        #expect(abs(blend[0] - plain[0] - 2 * expected) < 1e-12)
        #expect(blend[1] == 0 && plain[1] == 0)
    }

    /// Captions above their image's baseline become more probable, those below it less.
    @Test(arguments: TrainingSettings.SelfCritical.Baseline.allCases)
    func advantagesAreAgainstTheBaseline(baseline: TrainingSettings.SelfCritical.Baseline) {
        let model = TinyModel()
        var settings = TrainingSettings()
        settings.selfCritical.images = 4
        settings.selfCritical.baseline = baseline
        let words = WordTable(
            counts: Dictionary(uniqueKeysWithValues: (4..<19).map { ("w\($0)", 20 - $0) }), minimumCount: 1)
        let split = CaptionSplit(
            images: ["0", "1", "2", "3"], captions: (0..<4).map { ["w\(4 + $0) w\(5 + $0)", "w\(6 + $0) w4"] })
        let corpus = TrainingCorpus(train: split, development: .init(), words: words, cleaning: .init())
        let data = TrainingData(corpus: corpus, features: model.features, words: words)
        let task = SelfCriticalTask(data: data, settings: settings, shape: model.shape, threads: 1)
        let first = task.captions(epoch: 0, batch: 0, step: 0, weights: model.weights)
        #expect(first.captions == task.captions(epoch: 0, batch: 0, step: 0, weights: model.weights).captions)
        #expect(first.captions != task.captions(epoch: 0, batch: 0, step: 1, weights: model.weights).captions)
        #expect(first.captions.count == 20 && Set(first.captions.map(\.image)) == [0, 1, 2, 3])
        let reward = ConsensusReward(references: corpus.references)
        for image in 0..<4 {
            let samples = first.captions.filter { $0.image == image }
            let rewards = reward.rewards(
                samples.map { sample in (image, sample.words.map { words.words[Int($0)] }, sample.ends) })
            if baseline == .mean {
                #expect(abs(samples.reduce(0) { $0 + $1.weight }) < 1e-3, "against the others, they sum to nothing")
                let total = rewards.reduce(0, +)
                for (sample, reward) in zip(samples, rewards) {
                    #expect(abs(Double(sample.weight) - (reward - (total - reward) / 4)) < 1e-4)
                }
            } else {
                let baselines = zip(samples, rewards).map { $1 - Double($0.weight) }
                #expect((baselines.max() ?? 0) - (baselines.min() ?? 0) < 1e-4, "one greedy caption an image")
            }
        }
    }
}
