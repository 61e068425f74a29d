/// Where one image's pixels go: for each of the stored picture's axes, the length it is resized to and the part of that
/// which is kept.
struct ResizeGeometry {
    struct Axis: Equatable {
        /// Pixels that the whole stored axis is resized to.
        var length: Int
        /// The first of them that is kept, counted in viewing order, and how many are.
        var offset: Int
        var count: Int
        /// Whether viewing order runs against the stored order.
        var isMirrored: Bool
    }

    /// The stored columns (horizontal) and rows (vertical).
    let columns: Axis
    let rows: Axis
    /// Whether stored columns become the tensor's rows.
    let swapsSides: Bool

    /// - Parameters:
    ///   - width: of the stored picture at its full size, at least 1; `height` likewise.
    init(width: Int, height: Int, orientation: Orientation, preprocessing: Preprocessing) {
        let viewed = orientation.swapsSides ? (width: height, height: width) : (width: width, height: height)
        let resized = Self.resizedSides(of: viewed, preprocessing)
        let offset = (
            Self.cropOffset(resized.width, preprocessing.width), Self.cropOffset(resized.height, preprocessing.height)
        )
        let across = (length: resized.width, offset: offset.0, count: preprocessing.width)
        let down = (length: resized.height, offset: offset.1, count: preprocessing.height)
        let (stored, crossed) = orientation.swapsSides ? (down, across) : (across, down)
        columns = Axis(
            length: stored.length, offset: stored.offset, count: stored.count, isMirrored: orientation.mirrorsColumns)
        rows = Axis(
            length: crossed.length, offset: crossed.offset, count: crossed.count, isMirrored: orientation.mirrorsRows)
        swapsSides = orientation.swapsSides
    }

    /// torchvision's `Resize(int)`: the shorter side exactly, the longer in proportion, rounded down.
    private static func resizedSides(
        of viewed: (width: Int, height: Int), _ preprocessing: Preprocessing
    ) -> (width: Int, height: Int) {
        switch preprocessing.resize {
        case .stretch: return (preprocessing.width, preprocessing.height)
        case .shortSideCrop:
            let side = preprocessing.effectiveResizeSide
            let (short, long) = (min(viewed.width, viewed.height), max(viewed.width, viewed.height))
            let longSide = Int(Double(side * long) / Double(short))
            return viewed.width <= viewed.height ? (side, longSide) : (longSide, side)
        }
    }

    /// torchvision's `CenterCrop`, which rounds half to even as Python does.
    private static func cropOffset(_ resized: Int, _ kept: Int) -> Int {
        Int((Double(resized - kept) / 2).rounded(.toNearestOrEven))
    }

    /// Whether the stored rows are resized before the stored columns. Pillow, from version 13 on, takes the viewed picture's
    /// height first where it shrinks by more than twice as many pixels as the width, and its width first otherwise.
    func takesRowsFirst(_ size: DecodedSize) -> Bool {
        let shrinkage = (columns: size.width - columns.length, rows: size.height - rows.length)
        let (across, down) = swapsSides ? (shrinkage.rows, shrinkage.columns) : (shrinkage.columns, shrinkage.rows)
        let takesHeightFirst = down > 0 && down > 2 * across
        return takesHeightFirst != swapsSides
    }

    /// The smallest part of its size, in eighths, that a JPEG may be decoded at: each side stays at least 1.5 times what it
    /// is resized to. Of libjpeg's sixteen scales only the powers of two have fast code.
    func eighths(width: Int, height: Int) -> Int {
        let fitting = [1, 2, 4].first { eighths in
            let size = JPEGDecoder.decodedSize(width: width, height: height, eighths: eighths)
            return 2 * size.width >= 3 * columns.length && 2 * size.height >= 3 * rows.length
        }
        return fitting ?? 8
    }
}
