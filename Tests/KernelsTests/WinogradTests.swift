import Kernels
import Testing

/// Winograd's convolution against its plain twin, to the bit, and against the direct sum.
@Suite struct WinogradTests {
    private static let sizes = [(1, 1), (3, 4), (7, 7), (6, 13), (19, 10)]

    private func layer(_ outputs: Int, _ height: Int, _ width: Int, _ channels: Int, _ filters: Int) -> LayerCase {
        var layer = LayerCase(operation: KAPTION_WINOGRAD, height: height, width: width, channels: channels)
        layer.outputChannels = filters
        layer.winogradOutputs = outputs
        layer.window = LayerTests.window(3, 3, pad: (1, 1, 1, 1))
        return layer
    }

    @Test(arguments: [2, 4]) func hasTheBitsOfItsTwin(outputs: Int) {
        for (height, width) in Self.sizes {
            for (channels, filters) in [(1, 1), (16, 32), (37, 19), (200, 50)] {
                var layer = layer(outputs, height, width, channels, filters)
                if height > 3 { layer.window = LayerTests.window(3, 3, pad: (0, 1, 0, 2)) }
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

    @Test(arguments: [2, 4]) func agreesWithTheDirectSum(outputs: Int) {
        for (height, width) in Self.sizes {
            for isa in [KAPTION_ISA_PLAIN] + vectorTables {
                var layer = layer(outputs, height, width, 96, 40)
                layer.gap = 0
                let values = layer.run(isa).values
                layer.operation = KAPTION_CONVOLUTION
                let direct = layer.run(isa).values
                let largest = direct.map(abs).max() ?? 0
                let worst = zip(values, direct).map { abs($0 - $1) }.max() ?? .nan
                #expect(worst <= largest * 4e-6, "\(layer)")
            }
        }
    }

    /// Slow activations are applied to the sums, too.
    @Test func tails() {
        for activation in LayerTests.activations {
            var layer = layer(4, 9, 6, 33, 20)
            layer.activation = activation
            let expected = layer.run(KAPTION_ISA_PLAIN).values
            for isa in vectorTables {
                let worst = zip(layer.run(isa).values, expected).map { abs($0 - $1) / max(1, abs($1)) }.max() ?? .nan
                #expect(worst <= 4e-6, "\(activation.kind.rawValue)")
            }
        }
    }

    /// A strip of rows has the bits of the whole, wherever it cuts the tiles.
    @Test(arguments: [2, 4]) func strips(outputs: Int) {
        for isa in [KAPTION_ISA_PLAIN] + vectorTables {
            var layer = layer(outputs, 20, 9, 37, 21)
            let whole = layer.run(isa).values
            for rows in [0.0...0.05, 0.3...0.65, 0.65...1] {
                layer.rows = rows
                let strip = layer.run(isa)
                #expect(strip.touched == 0)
                #expect(zip(strip.values, whole).allSatisfy { $0 == LayerCase.mark || $0 == $1 })
            }
        }
    }
}
