import Kernels

/// The weights of an antialiased bilinear resize along one axis: a triangle filter, as wide as the target pixel where the
/// axis shrinks. Source: Pillow's `Resample.c` (`precompute_coeffs`, `normalize_coeffs_8bpc`), whose roundings it repeats.
final class ResampleWeights {
    private struct Key: Equatable {
        var extent: Double
        var available: Int
        var axis: ResizeGeometry.Axis
        var origin: Int
    }

    /// First source pixel of each target pixel's taps, counted from the origin, in viewing order.
    let starts = ScratchBuffer<Int32>()
    /// Taps of each target pixel that count.
    private let taps = ScratchBuffer<Int32>()
    /// As `kaption_resize.h` lays them out: `groups` groups of four taps a target pixel.
    let weights = ScratchBuffer<Int16>()
    private let exact = ScratchBuffer<Double>()
    /// Groups of four taps that every target pixel has room for.
    private(set) var groups = 0
    private(set) var count = 0
    private var key: Key?

    private static let group = Int(KAPTION_RESIZE_GROUP)

    /// - Parameters:
    ///   - extent: the source's length in its pixels, above `available` − 1 and at most `available`.
    ///   - available: source pixels, at least 1.
    ///   - origin: the source pixel that `starts` are counted from, at most the first of `reach`.
    func prepare(
        extent: Double, available: Int, axis: ResizeGeometry.Axis, origin: Int
    ) throws(InferenceError) {
        let wanted = Key(extent: extent, available: available, axis: axis, origin: origin)
        guard wanted != key else { return }
        key = nil
        count = axis.count
        let scale = extent / Double(axis.length)
        let support = max(scale, 1)
        try starts.reserve(count)
        try taps.reserve(count)
        var most = 1
        for target in 0..<count {
            let range = Self.range(around: Self.centre(target, axis, scale), support, available)
            starts.base[target] = Int32(range.lowerBound - origin)
            taps.base[target] = Int32(range.count)
            most = max(most, range.count)
        }
        groups = (most + Self.group - 1) / Self.group
        try weights.reserve(count * groups * Self.group * 2)
        try exact.reserve(groups * Self.group)
        for target in 0..<count {
            fill(target, origin: origin, centre: Self.centre(target, axis, scale), support: support)
        }
        key = wanted
    }

    /// The source pixels that the target pixels' taps lie on.
    static func reach(extent: Double, available: Int, axis: ResizeGeometry.Axis) -> Range<Int> {
        let scale = extent / Double(axis.length)
        let ends = [0, axis.count - 1].map { range(around: centre($0, axis, scale), max(scale, 1), available) }
        return min(ends[0].lowerBound, ends[1].lowerBound)..<max(ends[0].upperBound, ends[1].upperBound)
    }

    func weights(of target: Int) -> UnsafeMutablePointer<Int16> { weights.base + target * groups * Self.group * 2 }

    func tapCount(of target: Int) -> Int { Int(taps.base[target]) }

    func start(of target: Int) -> Int { Int(starts.base[target]) }

    func trim(above bytes: Int) {
        weights.trim(above: bytes)
        exact.trim(above: bytes)
        if weights.capacity == 0 { key = nil }
    }

    private static func centre(_ target: Int, _ axis: ResizeGeometry.Axis, _ scale: Double) -> Double {
        let viewed = axis.offset + target
        let stored = axis.isMirrored ? axis.length - 1 - viewed : viewed
        return (Double(stored) + 0.5) * scale
    }

    private static func range(around centre: Double, _ support: Double, _ available: Int) -> Range<Int> {
        // A target pixel whose centre lies in the part of the last source pixel beyond the extent still has that pixel.
        let first = min(max(Int(centre - support + 0.5), 0), available - 1)
        let end = min(Int(centre + support + 0.5), available)
        return first..<max(end, first + 1)
    }

    private func fill(_ target: Int, origin: Int, centre: Double, support: Double) {
        let (first, taps) = (origin + start(of: target), tapCount(of: target))
        var sum = 0.0
        for tap in 0..<taps {
            let distance = abs((Double(first + tap) - centre + 0.5) / support)
            let weight = max(1 - distance, 0)
            exact.base[tap] = weight
            sum += weight
        }
        let run = weights(of: target)
        run.update(repeating: 0, count: groups * Self.group * 2)
        for tap in 0..<taps {
            let fraction = sum > 0 ? exact.base[tap] / sum : 1 / Double(taps)
            let fixed = Int32(0.5 + fraction * Double(1 << KAPTION_RESIZE_PRECISION))
            let place = run + tap / Self.group * Self.group * 2 + tap % Self.group
            place[0] = Int16(fixed >> 8)
            place[Self.group] = Int16(fixed & 255)
        }
    }
}
