import Foundation
import TestSupport

/// Pictures drawn for a test, as the bytes of a PNG file.
enum TestPicture {
    /// Coloured gradients with noise, so that no two look alike: 8-bit RGB, not compressed.
    static func png(width: Int, height: Int, seed: UInt64) -> Data {
        var generator = SeededGenerator(seed)
        let slopes = (0..<6).map { _ in Int.random(in: -3...3, using: &generator) }
        var rows = Data()
        for y in 0..<height {
            rows.append(0)  // no filter
            for x in 0..<width {
                for channel in 0..<3 {
                    let ramp = x * slopes[channel] + y * slopes[channel + 3]
                    rows.append(UInt8(truncatingIfNeeded: ramp + Int.random(in: 0...40, using: &generator)))
                }
            }
        }
        let header = bigEndian(UInt32(width)) + bigEndian(UInt32(height)) + Data([8, 2, 0, 0, 0])
        return Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
            + chunk("IHDR", header) + chunk("IDAT", stored(rows)) + chunk("IEND", Data())
    }

    private static func bigEndian(_ number: UInt32) -> Data {
        withUnsafeBytes(of: number.bigEndian) { Data($0) }
    }

    private static func chunk(_ type: String, _ content: Data) -> Data {
        let body = Data(type.utf8) + content
        return bigEndian(UInt32(content.count)) + body + bigEndian(cyclicRedundancyCheck(body))
    }

    /// A zlib stream (RFC 1950) of stored blocks (RFC 1951, section 3.2.4).
    private static func stored(_ content: Data) -> Data {
        var stream = Data([0x78, 0x01])
        var start = 0
        repeat {
            let end = min(start + 65_535, content.count)
            let length = UInt16(end - start)
            stream.append(end == content.count ? 1 : 0)
            for number in [length, ~length] { stream.append(contentsOf: [UInt8(number & 255), UInt8(number >> 8)]) }
            stream.append(content[start..<end])
            start = end
        } while start < content.count
        var (low, high): (UInt32, UInt32) = (1, 0)
        for byte in content {
            low = (low + UInt32(byte)) % 65_521
            high = (high + low) % 65_521
        }
        return stream + bigEndian(high << 16 | low)
    }

    /// PNG specification, annex D.
    private static func cyclicRedundancyCheck(_ bytes: Data) -> UInt32 {
        var remainder: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            remainder ^= UInt32(byte)
            for _ in 0..<8 { remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0xEDB8_8320 : remainder >> 1 }
        }
        return ~remainder
    }
}
