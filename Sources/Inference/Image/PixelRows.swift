/// A decoder that gives a picture's rows from the top, whatever its orientation, four bytes a pixel: R, G, B and one that
/// means nothing.
protocol PixelRows: AnyObject {
    /// Called once, before the first row is read: only these of the picture's columns and rows matter, the decoder may leave out
    /// others.
    /// - Returns: the part that is to be read, all of its rows. It contains what matters.
    func select(_ part: PicturePart) throws(InferenceError) -> PicturePart
    /// Writes the part's next `count` rows; there must be that many left. `stride` is in bytes.
    func readRows(into pixels: UnsafeMutablePointer<UInt8>, stride: Int, count: Int) throws(InferenceError)
    /// Reads to the file's end, the rows below the part too, so that one cut short is known as such.
    func finish() throws(InferenceError)
}

/// Columns and rows of a picture as it is decoded.
struct PicturePart: Equatable {
    var columns: Range<Int>
    var rows: Range<Int>
}

/// A picture as it is about to be decoded.
struct DecodedSize {
    /// Pixels of the rows to come.
    var width: Int
    var height: Int
    /// What the pixels cover, in units of them: less than `width` or `height` where a JPEG decoded at a part of its size
    /// fills its last column or row only partly.
    var horizontalExtent: Double
    var verticalExtent: Double
}
