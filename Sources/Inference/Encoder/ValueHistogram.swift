/// How often a value's elements lie where: bins of equal width around zero, which double when something lies beyond them.
struct ValueHistogram {
    private static let halfBins = 2048
    private var counts = [UInt64](repeating: 0, count: 2 * halfBins)
    private(set) var lowest = Float.infinity
    private(set) var highest = -Float.infinity
    /// Bins reach from −reach to reach, a power of two.
    private var reach: Float = 1 / 1024

    /// - Returns: false where an element is not finite.
    mutating func add(_ values: UnsafeBufferPointer<Float>) -> Bool {
        var (low, high) = (lowest, highest)
        var isFinite = true
        for value in values {
            low = min(low, value)
            high = max(high, value)
            isFinite = isFinite && value.isFinite
        }
        guard isFinite else { return false }
        (lowest, highest) = (low, high)
        while max(high, -low) >= reach { double() }
        let scale = Float(Self.halfBins) / reach
        let half = Float(Self.halfBins)
        counts.withUnsafeMutableBufferPointer { counts in
            for value in values { counts[Int(value * scale + half)] += 1 }
        }
        return true
    }

    private mutating func double() {
        var merged = [UInt64](repeating: 0, count: counts.count)
        for (bin, count) in counts.enumerated() { merged[Self.halfBins / 2 + bin / 2] += count }
        counts = merged
        reach *= 2
    }

    /// Scale and zero point with the least mean squared error: of those that clip both ends alike, down to a fifth of the range. Zero is
    /// always within, as padding and ReLU make it.
    func numbers() -> (scale: Float, zeroPoint: Int) {
        let (low, high) = (min(lowest, 0), max(highest, 0))
        guard high > low else { return (1, 0) }
        let width = 2 * Double(reach) / Double(counts.count)
        let filled = counts.indices.filter { counts[$0] > 0 }
        var best: (error: Double, scale: Float, zeroPoint: Int)?
        for percent in stride(from: 100, through: 20, by: -1) {
            let scale = (high - low) * Float(percent) / 100 / 255
            guard scale >= Float.leastNormalMagnitude else { continue }
            let zeroPoint = Int((-low * Float(percent) / 100 / scale).rounded(.toNearestOrEven))
            let first = -Double(zeroPoint) * Double(scale)
            let last = Double(255 - zeroPoint) * Double(scale)
            let rounding = Double(scale) * Double(scale) / 12
            var error = 0.0
            for bin in filled {
                let value = (Double(bin - Self.halfBins) + 0.5) * width
                let beyond = max(first - value, value - last, 0)
                error += Double(counts[bin]) * (beyond > 0 ? beyond * beyond : rounding)
            }
            if error < best?.error ?? .infinity { best = (error, scale, zeroPoint) }
        }
        return best.map { ($0.scale, $0.zeroPoint) } ?? (1, 0)
    }
}
