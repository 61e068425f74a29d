import Kernels
import Testing

/// Winograd's convolution against its plain twin, to the bit, and against the direct sum.
@Suite struct WinogradTests {
    /// A window's taps and a tile's outputs.
    struct Scheme: CustomTestStringConvertible, Sendable {
        var taps: (Int, Int)
        var tile: (Int, Int)
        /// Its error, as a part of the largest output.
        var bound: Float = 4e-6

        var testDescription: String { "\(taps.0)×\(taps.1) by \(tile.0)×\(tile.1)" }
    }

    static let schemes = [
        Scheme(taps: (3, 3), tile: (2, 2)), Scheme(taps: (3, 3), tile: (4, 4)), Scheme(taps: (5, 5), tile: (2, 2)),
        Scheme(taps: (7, 1), tile: (3, 1), bound: 8e-6), Scheme(taps: (1, 7), tile: (1, 3), bound: 8e-6),
        Scheme(taps: (3, 1), tile: (4, 1)), Scheme(taps: (1, 3), tile: (1, 4)),
    ]
    private static let sizes = [(1, 1), (3, 4), (7, 7), (6, 13), (19, 10)]

    private func layer(_ scheme: Scheme, _ height: Int, _ width: Int, _ channels: Int, _ filters: Int) -> LayerCase {
        var layer = LayerCase(operation: KAPTION_WINOGRAD, height: height, width: width, channels: channels)
        layer.outputChannels = filters
        layer.tile = kaption_winograd_tile(height: scheme.tile.0, width: scheme.tile.1)
        let (down, across) = (scheme.taps.0 / 2, scheme.taps.1 / 2)
        layer.window = LayerTests.window(scheme.taps.0, scheme.taps.1, pad: (down, across, down, across))
        return layer
    }

    @Test(arguments: schemes) func hasTheBitsOfItsTwin(scheme: Scheme) {
        for (height, width) in Self.sizes {
            for (channels, filters) in [(1, 1), (16, 32), (37, 19), (200, 50)] {
                var layer = layer(scheme, height, width, channels, filters)
                if height > 3 {
                    // Less at the top and at the left, more where the image ends.
                    layer.window.pad_bottom += layer.window.pad_top
                    layer.window.pad_top = 0
                    layer.window.pad_right += layer.window.pad_left
                    layer.window.pad_left /= 2
                }
                layer.otherRepeats = channels == 37 ? false : nil
                layer.hasBias = channels != 16
                layer.activation = LayerTests.activations[filters % 2]
                let expected = layer.run(KAPTION_ISA_PLAIN)
                #expect(expected.touched == 0)
                for isa in vectorTables {
                    let result = layer.run(isa)
                    #expect(result.touched == 0, "\(layer)")
                    #expect(result.values == expected.values, "\(layer)")
                }
            }
        }
    }

    @Test(arguments: schemes) func agreesWithTheDirectSum(scheme: Scheme) {
        for (height, width) in Self.sizes {
            for isa in [KAPTION_ISA_PLAIN] + vectorTables {
                var layer = layer(scheme, height, width, 96, 40)
                layer.gap = 0
                let values = layer.run(isa).values
                layer.operation = KAPTION_CONVOLUTION
                let direct = layer.run(isa).values
                let largest = direct.map(abs).max() ?? 0
                let worst = zip(values, direct).map { abs($0 - $1) }.max() ?? .nan
                #expect(worst <= largest * scheme.bound, "\(layer): \(worst / largest)")
            }
        }
    }

    /// Slow activations are applied to the sums, too.
    @Test func tails() {
        for activation in LayerTests.activations {
            var layer = layer(Self.schemes[1], 9, 6, 33, 20)
            layer.activation = activation
            let expected = layer.run(KAPTION_ISA_PLAIN).values
            for isa in vectorTables {
                let worst = zip(layer.run(isa).values, expected).map { abs($0 - $1) / max(1, abs($1)) }.max() ?? .nan
                #expect(worst <= 4e-6, "\(activation.kind.rawValue)")
            }
        }
    }

    /// A strip of rows has the bits of the whole, wherever it cuts the tiles.
    @Test(arguments: schemes) func strips(scheme: Scheme) {
        for isa in [KAPTION_ISA_PLAIN] + vectorTables {
            var layer = layer(scheme, 20, 9, 37, 21)
            let whole = layer.run(isa).values
            for rows in [0.0...0.05, 0.3...0.65, 0.65...1] {
                layer.rows = rows
                let strip = layer.run(isa)
                #expect(strip.touched == 0)
                #expect(zip(strip.values, whole).allSatisfy { $0 == LayerCase.mark || $0 == $1 })
            }
        }
    }

    /// Every window that the plan gives to Winograd's algorithm has a kernel for it.
    @Test func tilesAreThoseThatKernelsHave() {
        for down in 1...8 {
            for across in 1...8 {
                for size in [1, 5, 6, 8, 17, 60] {
                    for channels in [32, 64] {
                        var window = LayerTests.window(down, across)
                        let tile = kaption_winograd_tile_of(&window, 1, size, size, channels, 64)
                        guard tile.height != 0 else { continue }
                        #expect(
                            Self.schemes.contains { $0.taps == (down, across) && $0.tile == (tile.height, tile.width) })
                    }
                }
            }
        }
    }
}
