/// Captions to learn in one step.
struct TaskBatch {
    var captions: [BatchCaption]
    /// The mean reward of sampled captions.
    var reward: Double?
}

/// What a stage of training learns: batches of weighted captions.
protocol LearningTask: AnyObject {
    var batchesPerEpoch: Int { get }
    var smoothing: Float { get }
    /// The share of dropout.
    var dropout: Float { get }

    /// The captions of one step. The same numbers and weights give the same captions.
    ///
    /// - Parameters:
    ///   - epoch: from 0; `batch` the place in it.
    ///   - step: of the stage.
    func captions(epoch: Int, batch: Int, step: Int, weights: DecoderParameters) -> TaskBatch
}

/// Cross-entropy of what people wrote.
final class CrossEntropyTask: LearningTask {
    let batchesPerEpoch: Int
    let smoothing: Float
    let dropout: Float

    private let settings: TrainingSettings
    private let data: TrainingData
    private var groups: (epoch: Int, groups: LengthGroups)?

    init(data: TrainingData, settings: TrainingSettings) {
        self.data = data
        self.settings = settings
        smoothing = settings.smoothing
        dropout = settings.dropout
        batchesPerEpoch = (data.captions.count + settings.batch - 1) / settings.batch
    }

    func captions(epoch: Int, batch: Int, step: Int, weights: DecoderParameters) -> TaskBatch {
        if groups?.epoch != epoch {
            let lengths = data.captions.map(\.words.count)
            groups = (epoch, LengthGroups(lengths: lengths, batch: settings.batch, seed: settings.seed, epoch: epoch))
        }
        var copies = RandomStream(seed: settings.seed, .copies, at: step)
        let numbers = groups?.groups.batches[batch] ?? []
        return TaskBatch(
            captions: numbers.map { number in
                let caption = data.captions[number]
                return BatchCaption(
                    image: caption.image, copy: Int.random(in: 0..<data.features.copies, using: &copies),
                    words: caption.words)
            })
    }
}
