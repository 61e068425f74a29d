import Foundation

/// What has to be known of a JPEG file before libjpeg may take memory for it, from a walk over its markers
/// (ITU-T T.81, annex B) that reads no picture data.
struct JPEGHeader {
    private(set) var width = 0
    private(set) var height = 0
    private(set) var orientation = Orientation.upright
    /// Scans of a file that has several; 1 where the first scan holds the whole picture.
    private(set) var scans = 0

    private var components = 0
    private var isProgressive = false

    /// - Parameter bytes: begins with the marker SOI.
    /// - Throws: `image_unsupported` for a coding that is not 8-bit Huffman, baseline or progressive, `image_corrupt`
    ///   where no picture begins, `image_too_large` for more than `maximumScans` scans.
    init(_ bytes: UnsafeRawBufferPointer, maximumScans: Int) throws(InferenceError) {
        var position = 2
        walk: while let marker = Self.nextMarker(in: bytes, from: &position) {
            // Markers without a segment: TEM, RST0...7, SOI. EOI ends the picture.
            if marker == 0xD9 { break walk }
            if marker == 0x01 || (0xD0...0xD8).contains(marker) { continue }
            guard let segment = Self.segment(in: bytes, at: position) else { break walk }
            position = segment.endIndex
            switch marker {
            case 0xC0, 0xC1, 0xC2: try readFrame(UnsafeRawBufferPointer(rebasing: segment), marker)
            case 0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF: throw Self.unsupportedFrame(marker)
            case 0xE1: readExif(UnsafeRawBufferPointer(rebasing: segment))
            case 0xDA:
                scans += 1
                guard scans <= maximumScans else {
                    throw InferenceError(.imageTooLarge, "the JPEG has more than \(maximumScans) scans")
                }
                let isWhole = !isProgressive && segment.first.map(Int.init) == components
                if isWhole { break walk }
            default: break
            }
        }
        try check()
    }

    private func check() throws(InferenceError) {
        guard scans > 0, components > 0 else {
            throw InferenceError(.imageCorrupt, "the JPEG ends before its picture begins")
        }
        guard width > 0, height > 0 else {
            throw InferenceError(.imageCorrupt, "the JPEG's header gives an empty picture")
        }
    }

    private mutating func readFrame(_ segment: UnsafeRawBufferPointer, _ marker: UInt8) throws(InferenceError) {
        guard segment.count >= 6 else { throw InferenceError(.imageCorrupt, "the JPEG's frame header is cut short") }
        guard segment[0] == 8 else {
            throw InferenceError(.imageUnsupported, "the JPEG has \(segment[0]) bits a sample; only 8 are supported")
        }
        height = Int(segment[1]) << 8 | Int(segment[2])
        width = Int(segment[3]) << 8 | Int(segment[4])
        components = Int(segment[5])
        isProgressive = marker == 0xC2
    }

    private mutating func readExif(_ segment: UnsafeRawBufferPointer) {
        guard orientation == .upright, segment.starts(with: [0x45, 0x78, 0x69, 0x66, 0, 0]) else { return }
        orientation = Orientation(tiff: UnsafeRawBufferPointer(rebasing: segment.dropFirst(6)))
    }

    private static func unsupportedFrame(_ marker: UInt8) -> InferenceError {
        let coding =
            switch marker {
            case 0xC3, 0xC7: "lossless"
            case 0xC5, 0xC6: "hierarchical"
            default: "arithmetic"
            }
        return InferenceError(.imageUnsupported, "the JPEG's \(coding) coding is not supported")
    }

    /// The next marker's code; picture data, stuffed zeros, fill bytes and stray bytes are passed over.
    private static func nextMarker(in bytes: UnsafeRawBufferPointer, from position: inout Int) -> UInt8? {
        guard let base = bytes.baseAddress else { return nil }
        while position < bytes.count - 1, let found = memchr(base + position, 0xFF, bytes.count - 1 - position) {
            position = found - UnsafeMutableRawPointer(mutating: base) + 1
            let code = bytes[position]
            // Of two 0xFF the first is a fill byte: look again from the second.
            if code == 0xFF { continue }
            position += 1
            if code != 0 { return code }
        }
        return nil
    }

    /// The segment behind its length field; nil where it does not fit in the file.
    private static func segment(in bytes: UnsafeRawBufferPointer, at position: Int) -> Slice<UnsafeRawBufferPointer>? {
        guard position <= bytes.count - 2 else { return nil }
        let length = Int(bytes[position]) << 8 | Int(bytes[position + 1])
        guard length >= 2, length <= bytes.count - position else { return nil }
        return bytes[(position + 2)..<(position + length)]
    }
}
