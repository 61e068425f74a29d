import Evaluation
import Foundation
import Inference
import Kernels

/// One training from its first step to its last, or from a checkpoint on.
///
/// It runs on the calling thread, which must not be one of Swift's cooperative pool, and on the threads of a `ThreadTeam`.
public final class TrainingRun {
    /// What `progress` is told after a step.
    public struct Progress: Sendable {
        public var state: TrainingState
        public var batches: Int
        public var epochs: Int
        public var learningRate: Double
        /// Targets of this step, and what it took.
        public var targets: Int
        public var seconds: Double
    }

    public private(set) var state = TrainingState()
    public let weights: DecoderParameters
    /// The weights of the best epoch.
    public let bestWeights: DecoderParameters

    private let settings: TrainingSettings
    private let data: TrainingData
    private let scorer: DevelopmentScorer?
    private let shape: DecoderShape
    private let threads: Int
    private let gradients: DecoderParameters
    private let optimiser: Adam
    private let pass: DecoderPass
    private var batch = CaptionBatch()
    private let dataDigest: String

    /// - Parameters:
    ///   - weights: to begin with; changed by the run.
    ///   - scorer: of the development images; nil takes the last epoch as the best.
    public init(
        settings: TrainingSettings, data: TrainingData, scorer: DevelopmentScorer?, weights: DecoderParameters,
        threads: Int
    ) {
        self.settings = settings
        self.data = data
        self.scorer = scorer
        self.weights = weights
        self.threads = threads
        shape = weights.shape
        bestWeights = DecoderParameters(shape: shape)
        bestWeights.copy(from: weights)
        gradients = DecoderParameters(shape: shape)
        optimiser = Adam(shape: shape, threads: threads)
        pass = DecoderPass(shape: shape, threads: threads)
        dataDigest = Self.digest(data)
        state.stage = settings.epochs > 0 ? .crossEntropy : .selfCritical
    }

    private func epochs(of stage: TrainingStage) -> Int {
        stage == .crossEntropy ? settings.epochs : settings.selfCritical.epochs
    }

    private func makeTask(_ stage: TrainingStage) -> any LearningTask {
        switch stage {
        case .crossEntropy: CrossEntropyTask(data: data, settings: settings)
        case .selfCritical: SelfCriticalTask(data: data, settings: settings, shape: shape, threads: threads)
        }
    }

    /// Trains to the end.
    ///
    /// - Parameters:
    ///   - checkpoint: called with true at the end of each epoch and with false after each step; whoever wants a checkpoint then calls
    ///     `save`.
    /// - Throws: `TrainingError` where the loss is not finite, and what the callbacks throw.
    public func run(progress: (Progress) -> Void = { _ in }, checkpoint: (Bool) throws -> Void = { _ in }) throws {
        let mode = kaption_flush_denormals()
        defer { kaption_restore_denormals(mode) }
        for stage in TrainingStage.allCases where stage.isNotBefore(state.stage) {
            if state.stage != stage { begin(stage) }
            let task = makeTask(stage)
            let epochs = epochs(of: stage)
            while state.epoch < epochs, !isExhausted {
                try trainEpoch(task, epochs: epochs, progress, checkpoint)
                try finishEpoch()
                try checkpoint(true)
            }
        }
    }

    /// The second stage goes on from the best weights of the first, with an optimiser that remembers nothing.
    private func begin(_ stage: TrainingStage) {
        weights.copy(from: bestWeights)
        for moments in [optimiser.mean, optimiser.variance] { moments.base.update(repeating: 0, count: moments.count) }
        optimiser.steps = 0
        state.stage = stage
        (state.epoch, state.batch, state.step) = (0, 0, 0)
    }

    /// Whether the score has not risen for as long as the settings bear.
    private var isExhausted: Bool {
        guard let patience = settings.patience, let best = state.best, scorer != nil else { return false }
        return state.epoch - (best.stage == state.stage ? best.epoch : 0) >= patience
    }

    private func schedule(_ task: any LearningTask) -> OneCycle {
        OneCycle(
            peak: state.stage == .crossEntropy ? settings.learningRate : settings.selfCritical.learningRate,
            steps: epochs(of: state.stage) * task.batchesPerEpoch)
    }

    private func trainEpoch(
        _ task: any LearningTask, epochs: Int, _ progress: (Progress) -> Void, _ checkpoint: (Bool) throws -> Void
    ) throws {
        let schedule = schedule(task)
        while state.batch < task.batchesPerEpoch {
            let start = ContinuousClock.now
            let rate = schedule.rate(at: state.step)
            let loss = try step(task, rate: rate)
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            state.seconds += seconds
            progress(
                Progress(
                    state: state, batches: task.batchesPerEpoch, epochs: epochs, learningRate: rate,
                    targets: loss.targets, seconds: seconds))
            try checkpoint(false)
        }
    }

    private func step(_ task: any LearningTask, rate: Double) throws -> DecoderPass.Loss {
        let wanted = task.captions(epoch: state.epoch, batch: state.batch, step: state.step, weights: weights)
        let tokens = data.words.tokens
        batch.pack(wanted.captions, start: tokens.start, end: tokens.end)
        let targets = batch.rowCount - batch.captions.count
        let noise =
            task.dropout > 0 ? DropoutNoise(share: task.dropout, seed: settings.seed, step: state.step) : nil
        let loss = pass.run(
            batch, features: data.features, weights: weights, gradients: gradients, smoothing: task.smoothing,
            dropout: noise, scale: 1 / Float(max(targets, 1)))
        let norm = optimiser.update(
            weights, gradients: gradients, rate: rate, largestNorm: settings.clip,
            frozenEmbedding: settings.frozenEmbedding)
        guard loss.sum.isFinite, norm.isFinite else {
            throw TrainingError(
                "epoch \(state.epoch + 1), batch \(state.batch + 1): the loss is no longer finite; lower --learning-rate"
            )
        }
        pass.clearEmbeddingGradients(gradients, of: batch)
        state.lossSum += loss.sum
        state.targets += loss.targets
        state.rewardSum += wanted.reward ?? 0
        state.batch += 1
        state.step += 1
        return loss
    }

    private func finishEpoch() throws {
        let development = try score(weights)
        state.history.append(
            EpochRecord(
                stage: state.stage, epoch: state.epoch + 1, loss: state.lossSum / Double(max(state.targets, 1)),
                reward: state.stage == .selfCritical ? state.rewardSum / Double(max(state.batch, 1)) : nil,
                learningRate: state.stage == .crossEntropy ? settings.learningRate : settings.selfCritical.learningRate,
                development: development, seconds: state.seconds,
                wordsPerSecond: Double(state.targets) / max(state.seconds, 1e-9)))
        let isBest =
            if let development, let best = state.best?.score {
                development[settings.selection] > best[settings.selection]
            } else { true }
        if isBest {
            state.best = .init(stage: state.stage, epoch: state.epoch + 1, score: development)
            bestWeights.copy(from: weights)
        }
        state.epoch += 1
        state.batch = 0
        (state.lossSum, state.targets, state.rewardSum, state.seconds) = (0, 0, 0, 0)
    }

    /// The best setting of some weights on the development images.
    private func score(_ weights: DecoderParameters) throws -> DevelopmentScore? {
        guard let scorer else { return nil }
        let decoder = try DecoderExport.decoder(weights, words: data.words)
        return try scorer.best(of: decoder, by: settings.selection, maximumWords: settings.maximumWords)
    }

    // MARK: Checkpoints

    public func save(to folder: String) throws {
        try Checkpoint(
            header: .init(
                settings: settings, state: state, shape: shape, data: dataDigest, adamSteps: optimiser.steps),
            parameters: [weights, optimiser.mean, optimiser.variance, bestWeights]
        ).write(to: folder)
    }

    public static func canResume(in folder: String) -> Bool { Checkpoint.exists(in: folder) }

    /// Goes on where a checkpoint was written.
    ///
    /// - Throws: `TrainingError` where it is damaged, or of a run with other settings or data.
    public func resume(from folder: String) throws {
        let checkpoint = try Checkpoint(folder: folder, parts: 4)
        let header = checkpoint.header
        guard header.settings == settings, header.shape == shape else {
            throw TrainingError(
                "\(folder): the checkpoint is of a run with other settings; give them, or another --work")
        }
        guard header.data == dataDigest else {
            throw TrainingError("\(folder): the checkpoint is of a run with other captions, words or images")
        }
        for (target, source) in zip([weights, optimiser.mean, optimiser.variance, bestWeights], checkpoint.parameters) {
            target.copy(from: source)
        }
        optimiser.steps = header.adamSteps
        state = header.state
    }

    private static func digest(_ data: TrainingData) -> String {
        var text = data.words.words.joined(separator: "\n")
        text += "\n\(data.features.images) \(data.features.copies) \(data.features.size)\n"
        for caption in data.captions { text += "\(caption.image):\(caption.words)\n" }
        return SHA256.hexadecimal(Array(text.utf8))
    }
}

extension TrainingStage {
    func isNotBefore(_ other: TrainingStage) -> Bool { self == other || self == .selfCritical }
}
