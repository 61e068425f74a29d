import CPNG
import Foundation

/// Changes picture files the way damage and malice do, the same way for the same seed.
///
/// Some changes keep what is around them sound (a PNG's checksums are put right), so that readers come further than their first
/// check.
public struct FileMutator {
    private var random: SplitMix

    public init(seed: UInt64) { random = SplitMix(state: seed) }

    /// A changed copy of `file`; `other` lends its parts to splices.
    public mutating func mutated(_ file: Data, with other: Data) -> Data {
        var bytes = [UInt8](file)
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            guard !bytes.isEmpty else { break }
            switch Int.random(in: 0..<8, using: &random) {
            case 0: flipBits(&bytes)
            case 1: writeBytes(&bytes)
            case 2: bytes.removeLast(place(in: bytes))
            case 3: bytes = Array(bytes[..<place(in: bytes)]) + [UInt8](other).suffix(place(in: bytes))
            case 4: moveBlock(&bytes)
            case 5: changeSides(&bytes)
            default: changeSegments(&bytes)
            }
        }
        return Data(bytes)
    }

    // MARK: Bytes

    private mutating func place(in bytes: [UInt8]) -> Int { Int.random(in: 0..<bytes.count, using: &random) }

    /// Half of the places are in the headers.
    private mutating func likelyPlace(in bytes: [UInt8]) -> Int {
        Int.random(in: 0..<(Bool.random(using: &random) ? min(700, bytes.count) : bytes.count), using: &random)
    }

    private mutating func flipBits(_ bytes: inout [UInt8]) {
        for _ in 0..<Int.random(in: 1...16, using: &random) {
            bytes[likelyPlace(in: bytes)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        }
    }

    private mutating func writeBytes(_ bytes: inout [UInt8]) {
        let telling: [UInt8] = [0, 1, 0x7F, 0x80, 0xFE, 0xFF]
        let start = likelyPlace(in: bytes)
        for place in start..<min(start + Int.random(in: 1...8, using: &random), bytes.count) {
            bytes[place] = telling.randomElement(using: &random) ?? 0
        }
    }

    private mutating func moveBlock(_ bytes: inout [UInt8]) {
        let start = place(in: bytes)
        let block = bytes[start..<min(start + Int.random(in: 1...400, using: &random), bytes.count)]
        if Bool.random(using: &random) { bytes.removeSubrange(block.indices) }
        bytes.insert(contentsOf: block, at: Int.random(in: 0...bytes.count, using: &random))
    }

    // MARK: What the formats mean

    private static let sides: [UInt32] = [
        0, 1, 2, 7, 300, 4097, 16_384, 60_000, 65_535, 1_000_001, 0x7FFF_FFFF, 0xFFFF_FFFF,
    ]

    /// Writes other sides into the header.
    private mutating func changeSides(_ bytes: inout [UInt8]) {
        let side = Self.sides.randomElement(using: &random) ?? 0
        let isHeight = Bool.random(using: &random)
        if Self.isPNG(bytes) {
            let place = isHeight ? 20 : 16
            guard bytes.count >= place + 4 else { return }
            for byte in 0..<4 { bytes[place + byte] = UInt8(truncatingIfNeeded: side >> (24 - 8 * UInt32(byte))) }
            Self.mendChecksums(&bytes)
        } else if let frame = bytes.indices.dropLast(9).first(where: {
            bytes[$0] == 0xFF && (0xC0...0xC2).contains(bytes[$0 + 1])
        }) {
            let place = frame + (isHeight ? 5 : 7)
            bytes[place] = UInt8(truncatingIfNeeded: side >> 8)
            bytes[place + 1] = UInt8(truncatingIfNeeded: side)
        }
    }

    /// Drops, repeats, swaps or rewrites a PNG's chunks or a JPEG's segments.
    private mutating func changeSegments(_ bytes: inout [UInt8]) {
        var parts = Self.isPNG(bytes) ? Self.chunks(bytes) : Self.segments(bytes)
        guard parts.count > 2 else { return }
        let (first, second) = (
            Int.random(in: 1..<parts.count, using: &random), Int.random(in: 1..<parts.count, using: &random)
        )
        switch Int.random(in: 0..<5, using: &random) {
        case 0: parts.remove(at: first)
        case 1: parts.insert(parts[first], at: second)
        case 2: parts.swapAt(first, second)
        case 3: parts[first] = parts[first].map { _ in UInt8.random(in: .min ... .max, using: &random) }
        default:
            // The length field, or near it.
            let place = Int.random(in: 0..<min(8, parts[first].count), using: &random)
            parts[first][place] = UInt8.random(in: .min ... .max, using: &random)
        }
        bytes = Array(parts.joined())
        if Self.isPNG(bytes), Bool.random(using: &random) { Self.mendChecksums(&bytes) }
    }

    private static func isPNG(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) }

    /// The signature and each chunk.
    private static func chunks(_ bytes: [UInt8]) -> [[UInt8]] {
        var parts = [Array(bytes.prefix(8))]
        var position = 8
        while let end = endOfChunk(bytes, at: position) {
            parts.append(Array(bytes[position..<end]))
            position = end
        }
        return parts + [Array(bytes.dropFirst(position))].filter { !$0.isEmpty }
    }

    private static func endOfChunk(_ bytes: [UInt8], at position: Int) -> Int? {
        guard position + 12 <= bytes.count else { return nil }
        let length = bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
        return length <= bytes.count - position - 12 ? position + 12 + length : nil
    }

    private static func mendChecksums(_ bytes: inout [UInt8]) {
        var position = 8
        while let end = endOfChunk(bytes, at: position) {
            let covered = Array(bytes[position + 4..<end - 4])
            let checksum = kaption_png_checksum(covered, covered.count)
            for byte in 0..<4 { bytes[end - 4 + byte] = UInt8(truncatingIfNeeded: checksum >> (24 - 8 * UInt32(byte))) }
            position = end
        }
    }

    /// Pieces that begin at markers.
    private static func segments(_ bytes: [UInt8]) -> [[UInt8]] {
        var starts = bytes.indices.dropLast().filter { bytes[$0] == 0xFF && (0xC0...0xFE).contains(bytes[$0 + 1]) }
        if starts.first != 0 { starts.insert(0, at: 0) }
        return zip(starts, starts.dropFirst() + [bytes.count]).map { Array(bytes[$0..<$1]) }
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
