/// How sure a score is, by drawing images anew, with replacement (Efron, "Bootstrap Methods", 1979; for BLEU: Koehn,
/// "Statistical Significance Tests for Machine Translation Evaluation", 2004).
public struct Bootstrap: Sendable, Equatable, Codable {
    /// How many times a set of images is drawn, at least 1.
    public var resamples: Int
    public var seed: UInt64

    public init(resamples: Int = 1000, seed: UInt64 = 1) {
        precondition(resamples >= 1)
        self.resamples = resamples
        self.seed = seed
    }

    /// From the lower bound to the upper one.
    public struct Interval: Sendable, Equatable, Codable {
        public var lower: Double
        public var upper: Double
    }

    /// Intervals that hold 95% of the resamples' scores: from the 2.5th to the 97.5th percentile.
    public func intervals(_ scores: CorpusScores) -> [Metric: Interval] {
        let samples = resample(images: scores.images.count) { scores.values(selecting: $0) }
        return Dictionary(
            uniqueKeysWithValues: Metric.allCases.map { metric in
                (metric, Self.interval(samples.map { $0[metric] ?? 0 }))
            })
    }

    /// A difference between two sets of captions of the same images.
    public struct Difference: Sendable, Equatable, Codable {
        public var first: Double
        public var second: Double
        /// Second less first.
        public var difference: Double
        /// 95% of the resamples' differences.
        public var interval: Interval
        /// How probable a difference so large, either way, would be between equally good captioners.
        public var pValue: Double

        enum CodingKeys: String, CodingKey {
            case first, second, difference, interval
            case pValue = "p_value"
        }
    }

    /// Compares two sets of captions by a paired test: each resample draws the same images for both.
    ///
    /// The p-value is two-sided, of differences shifted to a mean of 0 (Riezler and Maxwell, "On Some Pitfalls in
    /// Automatic Evaluation and Significance Testing for MT", 2005), as sacrebleu computes it.
    ///
    /// - Precondition: both have the same images, in the same order.
    public func compare(_ first: CorpusScores, _ second: CorpusScores) -> [Metric: Difference] {
        precondition(first.images.count == second.images.count, "a paired test needs the same images on both sides")
        let samples = resample(images: first.images.count) { draw in
            (first.values(selecting: draw), second.values(selecting: draw))
        }
        let values = (first.values, second.values)
        return Dictionary(
            uniqueKeysWithValues: Metric.allCases.map { metric in
                let (one, two) = (values.0[metric] ?? 0, values.1[metric] ?? 0)
                let differences = samples.map { ($0.1[metric] ?? 0) - ($0.0[metric] ?? 0) }
                let mean = differences.reduce(0, +) / Double(resamples)
                let asLarge = differences.filter { abs($0 - mean) >= abs(two - one) }.count
                return (
                    metric,
                    Difference(
                        first: one, second: two, difference: two - one, interval: Self.interval(differences),
                        pValue: Double(asLarge + 1) / Double(resamples + 1))
                )
            })
    }

    /// Draws the images of each resample, the same for the same seed, and gives what `body` makes of them.
    private func resample<Result>(images count: Int, _ body: ([Int]) -> Result) -> [Result] {
        var generator = SplitMix64(seed: seed)
        return (0..<resamples).map { _ in
            body((0..<count).map { _ in Int.random(in: 0..<count, using: &generator) })
        }
    }

    private static func interval(_ values: [Double]) -> Interval {
        let sorted = values.sorted()
        return Interval(lower: percentile(2.5, of: sorted), upper: percentile(97.5, of: sorted))
    }

    /// With linear interpolation between ranks.
    static func percentile(_ percent: Double, of sorted: [Double]) -> Double {
        let rank = percent / 100 * Double(sorted.count - 1)
        let below = Int(rank)
        let above = min(below + 1, sorted.count - 1)
        return sorted[below] + (rank - Double(below)) * (sorted[above] - sorted[below])
    }
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014: the same numbers on every machine.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
