/// Gives buffers offsets in one arena so that those alive at the same time do not overlap. Greedy by size
/// (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020, section 5.2).
struct ArenaLayout {
    struct Buffer {
        /// Floats, a multiple of 16.
        var size: Int
        /// The first and last step that write or read it.
        var lifetime: ClosedRange<Int>
    }

    private(set) var offsets: [Int]
    /// Floats of the arena.
    private(set) var size = 0

    init(_ buffers: [Buffer]) {
        offsets = Array(repeating: 0, count: buffers.count)
        var placed: [Int] = []
        for index in buffers.indices.sorted(by: { (buffers[$0].size, $1) > (buffers[$1].size, $0) }) {
            let buffer = buffers[index]
            let neighbours = placed.filter { buffers[$0].lifetime.overlaps(buffer.lifetime) }
                .sorted { offsets[$0] < offsets[$1] }
            var best: (offset: Int, gap: Int)?
            var end = 0
            for neighbour in neighbours {
                let gap = offsets[neighbour] - end
                if gap >= buffer.size, gap < best?.gap ?? .max { best = (end, gap) }
                end = max(end, offsets[neighbour] + buffers[neighbour].size)
            }
            offsets[index] = best?.offset ?? end
            size = max(size, offsets[index] + buffer.size)
            placed.append(index)
        }
    }
}
