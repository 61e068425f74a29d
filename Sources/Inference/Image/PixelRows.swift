/// A decoder that gives a picture's rows from the top, whatever its orientation, four bytes a pixel: R, G, B and one that
/// means nothing.
protocol PixelRows: AnyObject {
    /// Writes the next `count` rows; there must be that many left. `stride` is in bytes.
    func readRows(into pixels: UnsafeMutablePointer<UInt8>, stride: Int, count: Int) throws(InferenceError)
    /// Reads to the file's end, so that one cut short is known as such.
    func finish() throws(InferenceError)
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
