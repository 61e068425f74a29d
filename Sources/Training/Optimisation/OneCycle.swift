import Foundation

/// The learning rate of one cycle (Smith and Topin, "Super-Convergence", 2018), with cosines as in PyTorch's OneCycleLR: from 1/25 of
/// the peak up to it, then down to 1/250,000 of it.
public struct OneCycle: Sendable, Equatable {
    public var peak: Double
    public var steps: Int
    /// The share of the steps that goes up.
    public var warmUp: Double

    public init(peak: Double, steps: Int, warmUp: Double = 0.2) {
        self.peak = peak
        self.steps = steps
        self.warmUp = warmUp
    }

    /// The rate of step 0..<`steps`.
    public func rate(at step: Int) -> Double {
        let (low, last) = (peak / 25, peak / 25 / 1e4)
        let top = max(warmUp * Double(steps) - 1, 0)
        let at = Double(step)
        if at <= top, top > 0 { return peak + (low - peak) * (1 + cos(.pi * at / top)) / 2 }
        let share = min((at - top) / max(Double(steps - 1) - top, 1), 1)
        return last + (peak - last) * (1 + cos(.pi * share)) / 2
    }
}
