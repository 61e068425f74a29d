import Kernels
import Testing

/// What follows the sums of narrow layers: activations, residuals, and numbers beyond what the output holds.
@Suite struct NarrowTailTests {
    @Test(arguments: LayerTests.activations.indices) func tails(index: Int) {
        let operations = [
            KAPTION_CONVOLUTION, KAPTION_DEPTHWISE, KAPTION_ADD, KAPTION_MULTIPLY, KAPTION_SCALE_SHIFT,
            KAPTION_ACTIVATION, KAPTION_MAX_POOL, KAPTION_AVERAGE_POOL, KAPTION_GLOBAL_AVERAGE_POOL,
        ]
        for operation in operations {
            for channels in [1, 8, 21, 64, 100] {
                var layer = NarrowCase(operation: operation, channels: channels)
                layer.groups = operation == KAPTION_DEPTHWISE ? channels : 1
                layer.activation = LayerTests.activations[index]
                if operation == KAPTION_ADD || operation == KAPTION_MULTIPLY { layer.otherRepeats = channels == 21 }
                layer.checkBesidePlain()
            }
        }
    }

    /// Sums so far outside the output's range that no integer holds them.
    @Test(arguments: [KAPTION_LINEAR, KAPTION_CLIP, KAPTION_SILU].map(\.rawValue)) func sumsBeyondIntegers(kind: UInt32)
    {
        for scale: Float in [1e-8, 1e-12, 1e-30] {
            var layer = NarrowCase(
                operation: KAPTION_CONVOLUTION, height: 6, width: 7, channels: 40, outputChannels: 50)
            layer.activation = kaption_activation(kind: kaption_activation_kind(kind), alpha: -1, beta: 2)
            for otherRepeats in [nil, false] {
                layer.otherRepeats = kind == KAPTION_SILU.rawValue ? nil : otherRepeats
                layer.output.scale = scale
                layer.compareWithPlain(==)
            }
        }
    }

    /// Sums that are no numbers once they are scaled.
    @Test(arguments: [KAPTION_LINEAR, KAPTION_CLIP, KAPTION_SILU].map(\.rawValue)) func sumsBeyondFloats(kind: UInt32) {
        for operation in [KAPTION_CONVOLUTION, KAPTION_DEPTHWISE] {
            for channels in [20, 70] {
                var layer = NarrowCase(operation: operation, height: 6, width: 7, channels: channels)
                layer.groups = operation == KAPTION_DEPTHWISE ? channels : 1
                layer.window = LayerTests.window(3, 3, pad: (1, 1, 1, 1))
                layer.activation = kaption_activation(kind: kaption_activation_kind(kind), alpha: -1, beta: 2)
                layer.input.scale = 3e37
                layer.compareWithPlain(==)
            }
        }
    }

    /// Residual sums that stay floats.
    @Test func sumsOfFloats() {
        for (width, channels, filters) in [(7, 40, 100), (31, 64, 24), (3, 20, 16), (40, 128, 49)] {
            for input in [NarrowCase.integers, NarrowCase.halves] {
                var layer = NarrowCase(
                    operation: KAPTION_CONVOLUTION, height: 5, width: width, channels: channels,
                    outputChannels: filters,
                    otherRepeats: false, input: input, other: NarrowCase.floats, output: NarrowCase.floats)
                for activation in LayerTests.activations.prefix(3) {
                    layer.activation = activation
                    layer.compareWithPlain {
                        $0 == $1 || ($0.isNaN && $1.isNaN)
                            || input.element == KAPTION_BFLOAT16 && abs($0 - $1) <= 2e-4 * max(4, abs($1))
                    }
                }
            }
        }
    }

    /// A sum that takes the place of what it adds is the sum that does not.
    @Test func sumsInPlace() {
        for (height, width, channels, filters) in [(7, 7, 40, 100), (12, 31, 64, 32), (1, 1, 3, 5), (9, 5, 128, 49)] {
            for size in [1, 3] {
                for numbers in [NarrowCase.integers, NarrowCase.halves] {
                    var layer = NarrowCase(
                        operation: KAPTION_CONVOLUTION, height: height, width: width, channels: channels,
                        outputChannels: filters, otherRepeats: false, input: numbers, output: numbers)
                    layer.window = LayerTests.window(size, size, pad: (size / 2, size / 2, size / 2, size / 2))
                    layer.activation = LayerTests.activations[1]
                    for isa in [KAPTION_ISA_PLAIN] + narrowTables {
                        layer.isInPlace = false
                        let apart = layer.run(isa).values
                        layer.isInPlace = true
                        let inPlace = layer.run(isa)
                        #expect(inPlace.touched == 0)
                        #expect(inPlace.values == apart)
                    }
                }
            }
        }
    }
}
