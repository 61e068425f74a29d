import Inference

/// Self-critical sequence training (Rennie et al., CVPR 2017): sampled captions become more probable by as much as their reward is above a
/// baseline, and less by as much as it is below.
final class SelfCriticalTask: LearningTask {
    let batchesPerEpoch: Int
    /// The loss of a sample is its plain cross-entropy, and the captions are sampled from the network without dropout.
    let smoothing: Float = 0
    let dropout: Float = 0

    private let settings: TrainingSettings
    private let data: TrainingData
    private let reward: ConsensusReward
    private let sampler: CaptionSampler
    private var order: (epoch: Int, images: [Int]) = (-1, [])

    init(data: TrainingData, settings: TrainingSettings, shape: DecoderShape, threads: Int) {
        self.settings = settings
        self.data = data
        reward = ConsensusReward(references: data.references, bleuWeight: settings.selfCritical.bleuWeight)
        sampler = CaptionSampler(shape: shape, threads: threads)
        batchesPerEpoch = (data.references.count + settings.selfCritical.images - 1) / settings.selfCritical.images
    }

    func captions(epoch: Int, batch: Int, step: Int, weights: DecoderParameters) -> TaskBatch {
        if order.epoch != epoch {
            var random = RandomStream(seed: settings.seed, .order, at: -1 - epoch)
            order = (epoch, data.references.indices.shuffled(using: &random))
        }
        let first = batch * settings.selfCritical.images
        let chosen = order.images[first..<min(first + settings.selfCritical.images, order.images.count)]
        var copies = RandomStream(seed: settings.seed, .copies, at: -1 - step)
        let images = chosen.map { (image: $0, copy: Int.random(in: 0..<data.features.copies, using: &copies)) }
        let each = settings.selfCritical.samples
        sampler.prepare(weights)
        let streams = (0..<images.count * each).map { row -> RandomStream? in
            RandomStream(seed: settings.seed &+ UInt64(row) &* 0x1_0000_0001, .samples, at: step)
        }
        let samples = draw(images, streams, weights)
        let rewards = self.rewards(samples, images, each)
        var baselines = rewards.indices.map { row -> Double in
            let own = row / each * each
            let sum = rewards[own..<own + each].reduce(0, +) - rewards[row]
            return sum / Double(max(each - 1, 1))
        }
        if settings.selfCritical.baseline == .greedy {
            let greedy = draw(images, Array(repeating: nil, count: images.count), weights)
            let greedyRewards = self.rewards(greedy, images, 1)
            baselines = rewards.indices.map { greedyRewards[$0 / each] }
        }
        let captions = samples.indices.map { row in
            BatchCaption(
                image: images[row / each].image, copy: images[row / each].copy, words: samples[row].words,
                ends: samples[row].ends, weight: Float(rewards[row] - baselines[row]))
        }
        return TaskBatch(captions: captions, reward: rewards.reduce(0, +) / Double(max(rewards.count, 1)))
    }

    private func draw(
        _ images: [(image: Int, copy: Int)], _ streams: [RandomStream?], _ weights: DecoderParameters
    ) -> [CaptionSampler.Sample] {
        sampler.sample(
            images, streams: streams, tokens: data.words.tokens, most: settings.maximumWords, weights: weights,
            table: data.features)
    }

    private func rewards(
        _ samples: [CaptionSampler.Sample], _ images: [(image: Int, copy: Int)], _ each: Int
    ) -> [Double] {
        reward.rewards(
            samples.enumerated().map { row, sample in
                (images[row / each].image, sample.words.map { data.words.words[Int($0)] }, sample.ends)
            })
    }
}
