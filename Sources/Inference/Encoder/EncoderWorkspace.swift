import Kernels

/// One thread's memory for encoding. Everything is allocated when it is made, nothing after.
///
/// For each image of a micro-batch: write `input`, `encode(row:)`. Then `finish(rows:)` once, and read `features(row:)`. The
/// bits of a feature depend on its image alone.
public final class EncoderWorkspace {
    /// The image to encode, `[height][width][4]`: the normalised channels of each pixel, then floats that are not read.
    public var input: UnsafeMutablePointer<Float> { image.base }

    private let encoder: Encoder
    private let image: FloatBuffer
    private let arena: FloatBuffer
    private let rows: FloatBuffer
    private var memory: kaption_memory

    init(encoder: Encoder, maximumBatch: Int) {
        precondition(maximumBatch >= 1, "a workspace holds one image at least")
        self.encoder = encoder
        image = FloatBuffer(count: encoder.inputHeight * encoder.inputWidth * Encoder.inputPixelStride)
        arena = FloatBuffer(count: encoder.plan.arenaSize)
        rows = FloatBuffer(count: encoder.plan.rowSize * maximumBatch)
        memory = kaption_memory(input: image.base, arena: arena.base, rows: rows.base, capacity: maximumBatch)
    }

    /// Runs the image in `input` up to the cut point, as row `row` of the micro-batch. `input` keeps its pixels.
    public func encode(row: Int) {
        precondition(0..<memory.capacity ~= row, "the row is not in the micro-batch")
        kaption_plan_encode(encoder.plan.plan, &memory, row)
    }

    /// Runs the plan's step `index`, or the group that begins there, for row 0.
    func runStep(_ index: Int) { _ = kaption_plan_run_step(encoder.plan.plan, &memory, 0, index) }

    /// The floats at `view` for row 0: those of the first pixel, the others follow by its stride.
    func floats(at view: kaption_view) -> UnsafePointer<Float>? {
        let base =
            switch view.space {
            case KAPTION_SPACE_INPUT: memory.input
            case KAPTION_SPACE_ARENA: memory.arena
            default: memory.rows.map { $0 + view.offset * (memory.capacity - 1) }
            }
        return base.map { UnsafePointer($0 + view.offset + view.channel) }
    }

    /// Runs the layers after the cut point for rows `0..<rows`.
    public func finish(rows: Int) {
        precondition(1...memory.capacity ~= rows, "there are more rows than the micro-batch holds")
        kaption_plan_finish(encoder.plan.plan, &memory, rows)
    }

    /// The feature of row `row`, `featureSize` floats, valid until its row is encoded anew.
    public func features(row: Int) -> UnsafePointer<Float> {
        precondition(0..<memory.capacity ~= row, "the row is not in the micro-batch")
        let feature = encoder.plan.feature
        return UnsafePointer(rows.base + feature.offset * memory.capacity + row * feature.row_stride + feature.channel)
    }
}
