/// How a stored picture has to be turned for viewing: the values of Exif's tag 0x0112 (Exif 2.32, 4.6.4 A).
enum Orientation: UInt16 {
    case upright = 1
    case mirrored, turnedHalf, flipped, transposed, turnedRight, transversed, turnedLeft

    /// Whether the stored picture's columns are the viewed picture's rows.
    var swapsSides: Bool { rawValue >= 5 }

    /// Whether viewing goes through the stored columns from the right.
    var mirrorsColumns: Bool {
        switch self {
        case .mirrored, .turnedHalf, .transversed, .turnedLeft: true
        case .upright, .flipped, .transposed, .turnedRight: false
        }
    }

    /// Whether viewing goes through the stored rows from the bottom.
    var mirrorsRows: Bool {
        switch self {
        case .turnedHalf, .flipped, .turnedRight, .transversed: true
        case .upright, .mirrored, .transposed, .turnedLeft: false
        }
    }

    /// Finds the orientation in Exif's TIFF structure. What is missing, damaged or out of range is `upright`: damaged
    /// metadata does not make a picture unusable.
    init(tiff bytes: UnsafeRawBufferPointer) {
        self = Self.find(in: bytes) ?? .upright
    }

    private static func find(in bytes: UnsafeRawBufferPointer) -> Orientation? {
        guard bytes.count >= 8 else { return nil }
        let isLittleEndian: Bool
        switch (bytes[0], bytes[1]) {
        case (0x49, 0x49): isLittleEndian = true
        case (0x4D, 0x4D): isLittleEndian = false
        default: return nil
        }
        func short(_ offset: Int) -> Int? {
            guard offset >= 0, offset <= bytes.count - 2 else { return nil }
            let (first, second) = (Int(bytes[offset]), Int(bytes[offset + 1]))
            return isLittleEndian ? second << 8 | first : first << 8 | second
        }
        func long(_ offset: Int) -> Int? {
            guard let first = short(offset), let second = short(offset + 2) else { return nil }
            return isLittleEndian ? second << 16 | first : first << 16 | second
        }
        guard short(2) == 42, let directory = long(4), let entries = short(directory) else { return nil }
        for entry in 0..<entries {
            let offset = directory + 2 + 12 * entry
            guard let tag = short(offset) else { return nil }
            guard tag == 0x0112 else { continue }
            let isOneShort = short(offset + 2) == 3 && long(offset + 4) == 1
            return isOneShort ? short(offset + 8).flatMap { Orientation(rawValue: UInt16($0)) } : nil
        }
        return nil
    }
}
