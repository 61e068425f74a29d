import Foundation

/// Ranges of offsets beyond a start, as text short enough for the metadata of a committed offset.
///
/// The distances between ranges and their lengths follow each other as Elias gamma codes (P. Elias, "Universal codeword
/// sets and representations of the integers", 1975): two bits for a range of one record after a gap of one, about 2 log2 n
/// bits for a run of n. The bits are written in base64 behind a mark of the form.
enum OffsetRanges {
    private static let mark = "replayed:1:"

    /// - Parameter ranges: ascending, apart from each other and from `start`, none empty.
    static func text(_ ranges: [Range<Int64>], after start: Int64) -> String {
        if ranges.isEmpty { return "" }
        var bits = BitWriter()
        var cursor = start
        for range in ranges {
            bits.append(UInt64(range.lowerBound - cursor))
            bits.append(UInt64(range.count))
            cursor = range.upperBound
        }
        return mark + Data(bits.bytes).base64EncodedString()
    }

    /// nil for a text that `text` did not write.
    static func ranges(_ text: String, after start: Int64) -> [Range<Int64>]? {
        if text.isEmpty { return [] }
        guard text.hasPrefix(mark), let bytes = Data(base64Encoded: String(text.dropFirst(mark.count))) else {
            return nil
        }
        var bits = BitReader(bytes: Array(bytes))
        var ranges: [Range<Int64>] = []
        var cursor = start
        while let gap = bits.next() {
            guard let length = bits.next(), let lower = sum(cursor, gap), let upper = sum(lower, length) else {
                return nil
            }
            ranges.append(lower..<upper)
            cursor = upper
        }
        return ranges
    }

    private static func sum(_ offset: Int64, _ distance: UInt64) -> Int64? {
        let (sum, overflow) = offset.addingReportingOverflow(Int64(clamping: distance))
        return overflow ? nil : sum
    }
}

/// Writes positive numbers as Elias gamma codes: as many zeros as the number has bits after its first, then the number.
private struct BitWriter {
    private(set) var bytes: [UInt8] = []
    private var count = 0

    mutating func append(_ number: UInt64) {
        let width = 64 - number.leadingZeroBitCount
        for _ in 1..<width { append(bit: false) }
        for place in (0..<width).reversed() { append(bit: number >> UInt64(place) & 1 == 1) }
    }

    private mutating func append(bit: Bool) {
        if count % 8 == 0 { bytes.append(0) }
        if bit { bytes[count / 8] |= 0x80 >> UInt8(count % 8) }
        count += 1
    }
}

private struct BitReader {
    let bytes: [UInt8]
    private var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// nil at the end, where at most zeros are left.
    mutating func next() -> UInt64? {
        var zeros = 0
        while let bit = bit() {
            if bit == 0 {
                zeros += 1
                continue
            }
            var number: UInt64 = 1
            guard zeros < 64 else { return nil }
            for _ in 0..<zeros {
                guard let bit = self.bit() else { return nil }
                number = number << 1 | bit
            }
            return number
        }
        return nil
    }

    private mutating func bit() -> UInt64? {
        guard position < bytes.count * 8 else { return nil }
        defer { position += 1 }
        return UInt64(bytes[position / 8] >> UInt8(7 - position % 8) & 1)
    }
}
