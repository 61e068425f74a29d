/// The arguments of `Slice` and `Split`, which constants and activations share.
extension ConstantCall {
    struct AxisSlice {
        var axis: Int
        var start: Int
        var step: Int
        var count: Int
    }

    /// What a `Slice` node takes of each axis that it names.
    ///
    /// - Parameter sizes: the dimensions of its first input.
    func slices(sizes: [Int]) throws(ModelError) -> [AxisSlice] {
        let starts = try known(input(1))
        let ends = try known(input(2))
        let axes = try optional(3).map { (tensor) throws(ModelError) in try known(tensor) } ?? Array(starts.indices)
        let steps =
            try optional(4).map { (tensor) throws(ModelError) in try known(tensor) } ?? starts.map { _ in 1 }
        guard starts.count == ends.count, axes.count == starts.count, steps.count == starts.count else {
            throw refused("starts, ends, axes and steps of unlike length")
        }
        var result: [AxisSlice] = []
        var seen: Set<Int> = []
        for index in starts.indices {
            let axis = try axis(axes[index], rank: sizes.count)
            guard seen.insert(axis).inserted else { throw refused("axis \(axis) comes twice") }
            let size = sizes[axis]
            let step = steps[index]
            guard step != 0, step.magnitude <= 1 << 31 else { throw refused("a step of \(step)") }
            func place(_ value: Int, _ range: ClosedRange<Int>) -> Int {
                min(
                    max(value < 0 ? value.addingReportingOverflow(size).partialValue : value, range.lowerBound),
                    range.upperBound)
            }
            let isForward = step > 0
            let start = place(starts[index], isForward ? 0...size : 0...max(size - 1, 0))
            let end =
                ends[index] < -size && !isForward
                ? -1 : place(ends[index], isForward ? 0...size : -1...max(size - 1, 0))
            let distance = isForward ? end - start : start - end
            let count = distance <= 0 || size == 0 ? 0 : (distance + Int(step.magnitude) - 1) / Int(step.magnitude)
            result.append(AxisSlice(axis: axis, start: start, step: step, count: count))
        }
        return result
    }

    /// The parts that a `Split` node makes of an axis.
    func splitSizes(of size: Int) throws(ModelError) -> [Range<Int>] {
        let sizes: [Int]
        if let listed = try axes(attribute: "split") {
            sizes = listed
        } else {
            let parts = node.outputs.count
            guard parts > 0 else { throw refused("no outputs") }
            // The last part may be smaller (opset 18).
            let part = (size + parts - 1) / parts
            sizes = (0..<parts).map { min(part, max(0, size - $0 * part)) }
        }
        guard sizes.allSatisfy({ $0 >= 0 && $0 <= size }), sizes.count == node.outputs.count, sizes.reduce(0, +) == size
        else {
            throw refused("parts of \(sizes) for \(size) channels")
        }
        var start = 0
        return sizes.map { count in
            defer { start += count }
            return start..<start + count
        }
    }
}
