import CPNG
import Foundation

/// Exif metadata that says how a picture is to be turned.
public enum Exif {
    /// A TIFF structure with the orientation tag alone.
    public static func tiff(orientation: Int, isLittleEndian: Bool = true) -> Data {
        func short(_ value: Int) -> [UInt8] {
            let bytes = [UInt8(value & 255), UInt8(value >> 8 & 255)]
            return isLittleEndian ? bytes : bytes.reversed()
        }
        func long(_ value: Int) -> [UInt8] {
            isLittleEndian ? short(value) + short(value >> 16) : short(value >> 16) + short(value)
        }
        let mark: [UInt8] = isLittleEndian ? [0x49, 0x49] : [0x4D, 0x4D]
        let entry = short(0x0112) + short(3) + long(1) + short(orientation) + short(0)
        return Data(mark + short(42) + long(8) + short(1) + entry + long(0))
    }

    /// The JPEG with an Exif segment right behind its first marker.
    public static func added(to jpeg: Data, tiff: Data) -> Data {
        let payload = Data("Exif\0\0".utf8) + tiff
        let length = payload.count + 2
        let segment = Data([0xFF, 0xE1, UInt8(length >> 8), UInt8(length & 255)]) + payload
        return jpeg.prefix(2) + segment + jpeg.dropFirst(2)
    }
}

/// Files that a careless reader falls over.
public enum HostileFiles {
    /// A PNG whose header promises so many pixels and which holds none.
    public static func png(width: UInt32, height: UInt32) -> Data {
        let header = bigEndian(width) + bigEndian(height) + [8, 2, 0, 0, 0]
        return Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
            + chunk("IHDR", header) + chunk("IDAT", []) + chunk("IEND", [])
    }

    /// The PNG with one bit changed in the checksum of its first chunk of that type; unchanged where it has none.
    public static func wrongChecksum(in png: Data, chunk type: String = "IDAT") -> Data {
        var bytes = [UInt8](png)
        var position = 8
        while position + 12 <= bytes.count {
            let length = bytes[position..<(position + 4)].reduce(0) { $0 << 8 | Int($1) }
            guard position + 12 + length <= bytes.count else { break }
            if bytes[(position + 4)..<(position + 8)].elementsEqual(type.utf8) {
                bytes[position + 8 + length] ^= 1
                break
            }
            position += 12 + length
        }
        return Data(bytes)
    }

    /// A small progressive JPEG whose last scan is repeated until it has so many.
    public static func progressiveJPEG(scans: Int) throws -> Data {
        let picture = Picture(width: 16, height: 16) { x, y in .grey(Float(x * y % 7) / 7) }
        let whole = [UInt8](try JPEGFile(isProgressive: true).write(picture))
        let starts = whole.indices.dropLast().filter { whole[$0] == 0xFF && whole[$0 + 1] == 0xDA }
        guard let last = starts.last else { throw PictureFileError(description: "the JPEG has no scan") }
        // The picture data ends before the end-of-image marker.
        let scan = whole[last..<(whole.count - 2)]
        var bytes = Array(whole[..<last])
        for _ in 0..<max(scans - starts.count + 1, 1) { bytes += scan }
        return Data(bytes + [0xFF, 0xD9])
    }

    private static func chunk(_ type: String, _ data: [UInt8]) -> Data {
        let covered = Array(type.utf8) + data
        return Data(
            bigEndian(UInt32(data.count)) + covered + bigEndian(kaption_png_checksum(covered, covered.count)))
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
}
