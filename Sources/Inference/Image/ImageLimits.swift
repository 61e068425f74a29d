/// What one image may cost. Bytes, pixels and scans are checked before memory is taken for them.
///
/// Most images are decoded and resized row by row, in a few megabytes whatever their size. A JPEG of several scans and an
/// interlaced PNG are held whole meanwhile: about 3 bytes a pixel as cameras write them, 8 at the worst.
public struct ImageLimits: Sendable, Equatable {
    /// Of the file.
    public var maximumBytes: Int
    /// Width × height in the file's header.
    public var maximumPixels: Int
    /// Scans of a JPEG that has several (progressive ones do).
    public var maximumScans: Int
    /// For decoding and resizing together, in the thread's own time (CPU time).
    public var deadline: Duration

    public init(
        maximumBytes: Int = 32 << 20, maximumPixels: Int = 64 << 20, maximumScans: Int = 100,
        deadline: Duration = .seconds(10)
    ) {
        self.maximumBytes = maximumBytes
        self.maximumPixels = maximumPixels
        self.maximumScans = maximumScans
        self.deadline = deadline
    }
}
