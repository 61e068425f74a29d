import Evaluation

/// Everything that training does otherwise where it is changed. Two runs with equal settings and data give the same bits, for one
/// number of threads and one instruction set.
public struct TrainingSettings: Sendable, Equatable, Codable {
    public struct SelfCritical: Sendable, Equatable, Codable {
        /// What a sample's reward is held against.
        public enum Baseline: String, Sendable, Codable, CaseIterable {
            /// The caption of the most probable words (Rennie et al., 2017).
            case greedy
            /// The mean of the image's other samples (Luo, "A Better Variant of Self-Critical Sequence Training", 2020).
            case mean
        }

        public var epochs = 0
        /// Of a batch.
        public var images = 16
        /// Of an image.
        public var samples = 5
        public var baseline = Baseline.mean
        /// The peak of its own cycle.
        public var learningRate = 4e-4
        /// What a sample's BLEU-4 is multiplied by before it is added to its CIDEr-D.
        public var bleuWeight = 0.0
    }

    public var seed: UInt64 = 1
    public var epochs = 8
    /// Captions of a batch.
    public var batch = 64
    /// The peak of the cycle.
    public var learningRate = 2e-3
    public var dropout: Float = 0.5
    public var smoothing: Float = 0.1
    /// The largest norm of a gradient.
    public var clip = 1.0
    public var frozenEmbedding = false
    /// A stage ends after so many epochs in which the score did not rise; nil trains them all.
    public var patience: Int?
    /// What chooses epoch, beam and α.
    public var selection = Metric.ciderD
    /// Of a caption while it is sampled or scored, the end counted.
    public var maximumWords = 20
    public var selfCritical = SelfCritical()

    public init() {}
}
