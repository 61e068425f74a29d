import Kernels

/// Resizes a picture while its rows arrive and writes it, normalised, into a tensor. Of the picture it holds only the rows
/// that the next row of the result needs.
///
/// The result is rounded to 8 bits between the pass across and the pass down, so their order is part of the result:
/// it is Pillow's (see `ResizeGeometry.takesRowsFirst`).
final class Resampler {
    /// Rows taken from the decoder at a time.
    private static let stripRows = 8
    /// More scratch memory than this is given back after an image.
    private static let keptBytes = 4 << 20

    private let isa = kaption_isa_best()
    private let columns = ResampleWeights()
    private let rows = ResampleWeights()
    /// Rows of a strip as decoded; used when across comes first.
    private let strip = ScratchBuffer<UInt8>()
    /// The last rows before the pass down, row r at place r mod `ringRows`.
    private let ring = ScratchBuffer<UInt8>()
    private let pointers = ScratchBuffer<UnsafePointer<UInt8>?>()
    /// A row after the pass down, and one after the pass across.
    private let wideLine = ScratchBuffer<UInt8>()
    private let line = ScratchBuffer<UInt8>()
    private var targets = [UnsafeMutablePointer<UInt8>?](repeating: nil, count: stripRows)
    private var ringRows = 0
    private var ringStride = 0
    private var ringBase: UnsafeMutablePointer<UInt8>

    init() { ringBase = ring.base }

    /// Reads the rows of `source` that the result needs.
    func resample(
        _ source: any PixelRows, size: DecodedSize, geometry: ResizeGeometry, into tensor: TensorWriter
    ) throws(InferenceError) {
        // From here on columns and rows are counted from the part's first.
        let part = try source.select(PicturePart(neededOf: size, geometry))
        let (width, height) = (part.columns.count, part.rows.count)
        try columns.prepare(
            extent: size.horizontalExtent, available: size.width, axis: geometry.columns,
            origin: part.columns.lowerBound)
        try rows.prepare(
            extent: size.verticalExtent, available: size.height, axis: geometry.rows, origin: part.rows.lowerBound)
        // The kernels read whole groups of taps, from a window each: the last may reach past the row's end.
        let padding = (columns.groups - 1) * Int(KAPTION_RESIZE_GROUP) + Int(KAPTION_RESIZE_WINDOW)
        let paddedStride = DecodedRows.stride((width + padding) * 4)
        let narrowStride = columns.count * 4
        let rowsFirst = geometry.takesRowsFirst(size)
        ringStride = rowsFirst ? paddedStride : narrowStride
        let mostTaps = rows.groups * Int(KAPTION_RESIZE_GROUP)
        ringRows = (min(mostTaps, height) + 2 * Self.stripRows - 1) / Self.stripRows * Self.stripRows
        try ring.reserve(ringRows * ringStride + DecodedRows.slack)
        ringBase = rowsFirst ? DecodedRows.base(in: ring) : ring.base
        try pointers.reserve(mostTaps)
        try line.reserve(narrowStride)
        if rowsFirst {
            try wideLine.reserve(paddedStride)
        } else {
            try strip.reserve(Self.stripRows * paddedStride + DecodedRows.slack)
        }
        let stripBase = DecodedRows.base(in: strip)

        var next = 0
        for first in stride(from: 0, to: height, by: Self.stripRows) {
            let count = min(Self.stripRows, height - first)
            if rowsFirst {
                try source.readRows(into: ringRow(first), stride: paddedStride, count: count)
            } else {
                try source.readRows(into: stripBase, stride: paddedStride, count: count)
                shrinkAcross(stripBase, stride: paddedStride, first: first, count: count)
            }
            while next < rows.count {
                // Results in the order in which their source rows arrive.
                let target = geometry.rows.isMirrored ? rows.count - 1 - next : next
                guard rows.start(of: target) + rows.tapCount(of: target) <= first + count else { break }
                if rowsFirst {
                    shrinkDown(target, into: wideLine.base, count: width * 4)
                    shrinkAcross(wideLine.base)
                } else {
                    shrinkDown(target, into: line.base, count: narrowStride)
                }
                if geometry.swapsSides {
                    tensor.writeColumn(target, line.base)
                } else {
                    tensor.writeRow(target, line.base)
                }
                next += 1
            }
        }
    }

    func trim() {
        for buffer in [strip, ring, wideLine] { buffer.trim(above: Self.keptBytes) }
        columns.trim(above: Self.keptBytes)
        rows.trim(above: Self.keptBytes)
    }

    private func ringRow(_ row: Int) -> UnsafeMutablePointer<UInt8> { ringBase + row % ringRows * ringStride }

    /// A strip into the ring.
    private func shrinkAcross(_ pixels: UnsafePointer<UInt8>, stride: Int, first: Int, count: Int) {
        for row in 0..<count { targets[row] = ringRow(first + row) }
        kaption_resize_across(
            isa, pixels, stride, count, columns.starts.base, columns.weights.base, columns.groups, columns.count,
            &targets)
    }

    /// One row into `line`.
    private func shrinkAcross(_ pixels: UnsafePointer<UInt8>) {
        targets[0] = line.base
        kaption_resize_across(
            isa, pixels, 0, 1, columns.starts.base, columns.weights.base, columns.groups, columns.count, &targets)
    }

    private func shrinkDown(_ target: Int, into pixels: UnsafeMutablePointer<UInt8>, count: Int) {
        let (first, taps) = (rows.start(of: target), rows.tapCount(of: target))
        let pairs = (taps + 1) / 2
        for tap in 0..<taps { pointers.base[tap] = UnsafePointer(ringRow(first + tap)) }
        // The second of the last pair, where there is none, has weight zero.
        if taps % 2 == 1 { pointers.base[taps] = pointers.base[taps - 1] }
        kaption_resize_down(isa, pointers.base, rows.weights(of: target), pairs, count, pixels)
    }
}

/// How the rows lie that a decoder writes: none begins at a multiple of 32 bytes. To such a row libjpeg-turbo's conversion of
/// colours writes past the caches (`vmovntdq` in its `jdcolext-avx2.asm`), and the resize, which reads the pixels next, would
/// wait for memory: a tenth of a photograph's time, or none, as the buffer happens to lie.
private enum DecodedRows {
    static let slack = 32

    static func stride(_ bytes: Int) -> Int { (bytes + 31) / 32 * 32 }

    static func base(in buffer: ScratchBuffer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        buffer.base + (48 - Int(bitPattern: buffer.base) % 32) % 32
    }
}

extension PicturePart {
    /// What the resize of a decoded picture reads of it.
    fileprivate init(neededOf size: DecodedSize, _ geometry: ResizeGeometry) {
        columns = ResampleWeights.reach(
            extent: size.horizontalExtent, available: size.width, axis: geometry.columns)
        rows = ResampleWeights.reach(extent: size.verticalExtent, available: size.height, axis: geometry.rows)
    }
}
