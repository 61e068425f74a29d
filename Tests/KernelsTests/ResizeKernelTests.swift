import Kernels
import TestSupport
import Testing

/// The vector code of the resize against its plain twin: equal in every bit.
@Suite struct ResizeKernelTests {
    private static let vectorSets = [KAPTION_ISA_AVX2, KAPTION_ISA_AVX512_VNNI].filter {
        kaption_isa_available($0) != 0
    }

    /// Runs of weights that sum to 2^22, `groups` groups of four taps each.
    private static func weights(
        _ count: Int, groups: Int, _ random: inout SeededGenerator
    ) -> [Int16] {
        (0..<count).flatMap { _ -> [Int16] in
            let shares = (0..<(groups * 4)).map { _ in Double.random(in: 0...1, using: &random) }
            let sum = shares.reduce(0, +)
            let fixed = shares.map { Int($0 / sum * Double(1 << KAPTION_RESIZE_PRECISION) + 0.5) }
            return (0..<groups).flatMap { group -> [Int16] in
                let four = fixed[(group * 4)..<(group * 4 + 4)]
                return four.map { Int16($0 >> 8) } + four.map { Int16($0 & 255) }
            }
        }
    }

    private static func bytes(_ count: Int, _ random: inout SeededGenerator) -> [UInt8] {
        // Many extreme values: that is where sums overflow or round up.
        (0..<count).map { _ in
            Bool.random(using: &random) ? .random(in: .min ... .max, using: &random) : .random(using: &random) ? 255 : 0
        }
    }

    @Test("Across, all numbers of rows and taps") func across() {
        var random = SeededGenerator(1)
        for isa in Self.vectorSets {
            for rows in 1...8 {
                for groups in [1, 2, 3, 9] {
                    for count in [1, 2, 7, 33] {
                        let width = 50
                        let stride = (width + (groups - 1) * 4 + Int(KAPTION_RESIZE_WINDOW)) * 4
                        let source = Self.bytes(rows * stride, &random)
                        let starts = (0..<count).map { _ in Int32.random(in: 0..<Int32(width), using: &random) }
                        let inOrder = (0..<count).map { Int32($0 * 3 / 2) }
                        let weights = Self.weights(count, groups: groups, &random)
                        func run(_ isa: kaption_isa, _ starts: [Int32]) -> [UInt8] {
                            var target = [UInt8](repeating: 7, count: rows * count * 4)
                            target.withUnsafeMutableBufferPointer { target in
                                var pointers = (0..<rows).map { row in target.baseAddress.map { $0 + row * count * 4 } }
                                kaption_resize_across(
                                    isa, source, stride, rows, starts, weights, groups, count, &pointers)
                            }
                            return target
                        }
                        // Anywhere, and one behind the other as a resize has them, either way.
                        for starts in [starts, inOrder, inOrder.reversed()] {
                            #expect(
                                run(isa, starts) == run(KAPTION_ISA_PLAIN, starts),
                                "\(rows) rows, \(groups) groups, \(count) pixels")
                        }
                    }
                }
            }
        }
    }

    @Test("Down, all numbers of bytes and taps") func down() {
        var random = SeededGenerator(2)
        for isa in Self.vectorSets {
            for pairs in [1, 2, 3, 4, 11] {
                for count in [1, 4, 31, 32, 33, 100, 896, 1196] {
                    let source = Self.bytes(2 * pairs * count, &random)
                    let weights = Self.weights(1, groups: (pairs + 1) / 2, &random)
                    func run(_ isa: kaption_isa) -> [UInt8] {
                        var target = [UInt8](repeating: 7, count: count)
                        source.withUnsafeBufferPointer { source in
                            let rows = (0..<(2 * pairs)).map { row in source.baseAddress.map { $0 + row * count } }
                            kaption_resize_down(isa, rows, weights, pairs, count, &target)
                        }
                        return target
                    }
                    #expect(run(isa) == run(KAPTION_ISA_PLAIN), "\(pairs) pairs, \(count) bytes")
                }
            }
        }
    }

    @Test("Normalisation, in rows and in columns, RGB and BGR") func normalise() {
        var random = SeededGenerator(3)
        let (mean, std): ([Float], [Float]) = ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375])
        for isa in Self.vectorSets {
            for count in [1, 2, 3, 8, 31, 224] {
                let pixels = Self.bytes(count * 4, &random)
                for (order, step): ([UInt8], Int) in [
                    ([0, 1, 2], 4), ([2, 1, 0], 4), ([0, 1, 2], 28), ([2, 1, 0], 28),
                ] {
                    func run(_ isa: kaption_isa) -> [Float] {
                        var target = [Float](repeating: -1, count: count * step)
                        kaption_normalise_row(isa, pixels, count, order, mean, std, &target, step, 4)
                        return target
                    }
                    #expect(run(isa) == run(KAPTION_ISA_PLAIN))
                }
            }
        }
    }

    @Test("Normalisation rounds as a division does, every byte") func division() {
        var random = SeededGenerator(4)
        let pixels = (0...255).flatMap { byte in [UInt8](repeating: byte, count: 4) }
        let common: [(mean: [Float], std: [Float])] = [
            ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375]), ([127.5, 127.5, 127.5], [127.5, 127.5, 127.5]),
            ([103.939, 116.779, 123.68], [1, 1, 1]), ([0, 0, 0], [255, 255, 255]), ([127, 127, 127], [128, 128, 128]),
        ]
        let others: [(mean: [Float], std: [Float])] = (0..<2000).map { _ in
            (
                (0..<3).map { _ in .random(in: 0...255, using: &random) },
                (0..<3).map { _ in .random(in: 0.01...255, using: &random) }
            )
        }
        for (mean, std) in common + others {
            var target = [Float](repeating: -1, count: 256 * 4)
            kaption_normalise_row(kaption_isa_best(), pixels, 256, [0, 1, 2], mean, std, &target, 4, 4)
            let wanted = (0..<(256 * 4)).map { at -> Float in
                let (byte, channel) = (Float(at / 4), at % 4)
                return channel < 3 ? (byte - mean[channel]) / std[channel] : 0
            }
            #expect(target == wanted, "mean \(mean), std \(std)")
        }
    }
}
