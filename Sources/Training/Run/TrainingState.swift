import Evaluation

/// The two stages, in their order.
public enum TrainingStage: String, Sendable, Codable, CaseIterable {
    case crossEntropy = "cross-entropy"
    case selfCritical = "self-critical"
}

/// How captions are searched for, and what that gave on the development images.
public struct DevelopmentScore: Sendable, Equatable, Codable {
    public var beam: Int
    public var alpha: Double
    /// By `Metric.rawValue`.
    public var scores: [String: Double]
    /// The share of captions that end in an article or a preposition.
    public var dangling: Double

    public subscript(_ metric: Metric) -> Double { scores[metric.rawValue] ?? 0 }
}

/// One epoch, as the table and the plot show it.
public struct EpochRecord: Sendable, Equatable, Codable {
    public var stage: TrainingStage
    /// From 1, within the stage.
    public var epoch: Int
    /// Mean over the targets.
    public var loss: Double
    /// Mean of the samples.
    public var reward: Double?
    public var learningRate: Double
    public var development: DevelopmentScore?
    public var seconds: Double
    public var wordsPerSecond: Double
}

/// Where training is: with the weights, the optimiser's moments and the settings all that is needed to go on.
public struct TrainingState: Sendable, Equatable, Codable {
    /// The best epoch so far, by the settings' measure.
    public struct Best: Sendable, Equatable, Codable {
        public var stage: TrainingStage
        public var epoch: Int
        public var score: DevelopmentScore?
    }

    public var stage = TrainingStage.crossEntropy
    /// From 0, within the stage.
    public var epoch = 0
    /// Batches of the epoch done.
    public var batch = 0
    /// Of the optimiser, within the stage.
    public var step = 0
    /// Of the epoch so far.
    public var lossSum = 0.0
    public var targets = 0
    public var rewardSum = 0.0
    public var seconds = 0.0
    public var best: Best?
    public var history: [EpochRecord] = []

    public init() {}
}
