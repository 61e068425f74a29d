import Kernels
import Testing

/// 3×3 convolutions of bytes by Winograd's algorithm: the direct sums of the plain twin, to the bit.
@Suite struct NarrowWinogradTests {
    private static func layer(_ height: Int, _ width: Int, _ channels: Int, _ filters: Int) -> NarrowCase {
        var layer = NarrowCase(
            operation: KAPTION_CONVOLUTION, height: height, width: width, channels: channels, outputChannels: filters)
        layer.window = LayerTests.window(3, 3, pad: (1, 1, 1, 1))
        return layer
    }

    /// Only layers by this algorithm, and AMX's, take scratch memory.
    private static func goesByWinograd(_ layer: NarrowCase, _ isa: kaption_isa) -> Bool {
        var description = kaption_layer()
        description.operation = layer.operation
        description.window = layer.window
        description.groups = layer.groups
        (description.input.height, description.input.width) = (layer.height, layer.width)
        (description.input.channels, description.output.channels) = (
            layer.channels, layer.outputChannels ?? layer.channels
        )
        (description.output.height, description.output.width) = (layer.outputHeight, layer.outputWidth)
        description.input_numbers = layer.input
        return kaption_narrow_scratch_floats(isa, &description) > 0
    }

    @Test(arguments: [(12, 12), (10, 10), (11, 23), (16, 12), (4, 36), (37, 15), (60, 21)]) func shapes(
        height: Int, width: Int
    ) {
        let pads = [(1, 1, 1, 1), (0, 0, 0, 0), (2, 1, 0, 3), (2, 2, 2, 2)]
        var taken = 0
        for (index, (channels, filters)) in [(16, 16), (17, 40), (33, 48), (50, 100), (64, 33), (96, 24)].enumerated() {
            var layer = Self.layer(height, width, channels, filters)
            layer.window = LayerTests.window(3, 3, pad: pads[index % pads.count])
            let isTaken = narrowTables.allSatisfy { $0 == KAPTION_ISA_AMX || Self.goesByWinograd(layer, $0) }
            guard isTaken else { continue }
            taken += 1
            layer.hasBias = index != 1
            layer.otherRepeats = index % 3 == 2 ? false : nil
            layer.isInPlace = index == 5
            if layer.isInPlace { layer.output = layer.input }
            layer.activation = LayerTests.activations[index % LayerTests.activations.count]
            layer.compareWithPlain(==)
            guard !layer.isInPlace else { continue }
            // Numbers of all kinds behind the sums, those included that no tile writes from registers.
            for output in [NarrowCase.floats, NarrowCase.halves] {
                layer.output = output
                layer.compareWithPlain {
                    abs($0 - $1) <= (output.element == KAPTION_BFLOAT16 ? 0.008 * max(4, abs($1)) : 0)
                }
            }
            layer.output = NarrowCase.wideIntegers
            layer.rows = 0.2...0.7
            layer.compareWithPlain(==)
        }
        #expect(taken >= 4)
    }

    /// Sums of several parts for several panels of filters and blocks of tiles; and weights that want larger blocks.
    @Test(arguments: [(32, 32, 300, 100), (45, 22, 240, 130), (24, 28, 350, 352)]) func manyChannels(
        height: Int, width: Int, channels: Int, filters: Int
    ) {
        var layer = Self.layer(height, width, channels, filters)
        layer.compareWithPlain(==)
        layer.output = layer.input
        layer.otherRepeats = false
        layer.isInPlace = true
        layer.compareWithPlain(==)
    }

    /// The greatest sums that bytes can have, where partial ones leave 32 bits; of more channels than one sum may have, too.
    @Test(arguments: [128, 228, 229, 300, 456, 470]) func extremes(channels: Int) {
        let inputs: [[UInt8]] = [[0], [255], [0, 255]]
        for (index, inputs) in inputs.enumerated() {
            for weights: [Float] in [[1], [-1], [1, -1], [1, 1, 0.5, -1]] {
                var layer = Self.layer(12, 13, channels, 16)
                layer.input.zero = [255, 0, 128][index]
                layer.output = NarrowCase.floats
                (layer.inputs, layer.weights) = (inputs, weights)
                layer.hasBias = false
                layer.compareWithPlain(==)
                layer.window = LayerTests.window(3, 3)
                layer.compareWithPlain(==)
            }
        }
    }

    /// What is tested here goes by the algorithm, and layers that lose by it do not.
    @Test func whichLayers() {
        for isa in narrowTables where isa != KAPTION_ISA_AMX {
            #expect(Self.goesByWinograd(Self.layer(12, 12, 16, 16), isa))
            #expect(Self.goesByWinograd(Self.layer(10, 10, 192, 192), isa))
            #expect(Self.goesByWinograd(Self.layer(12, 13, 470, 16), isa))
            #expect(!Self.goesByWinograd(Self.layer(7, 7, 512, 512), isa), "few tiles")
            #expect(!Self.goesByWinograd(Self.layer(9, 9, 64, 64), isa), "mostly outside the image")
            #expect(!Self.goesByWinograd(Self.layer(14, 14, 256, 256), isa), "large weights for sixteen tiles")
            #expect(Self.goesByWinograd(Self.layer(28, 28, 512, 512), isa))
            #expect(!Self.goesByWinograd(Self.layer(32, 32, 8, 64), isa), "few channels")
            var layer = Self.layer(32, 32, 64, 64)
            layer.groups = 2
            #expect(!Self.goesByWinograd(layer, isa))
            layer = Self.layer(32, 32, 64, 64)
            layer.window = LayerTests.window(3, 3, stride: (2, 2), pad: (1, 1, 1, 1))
            #expect(!Self.goesByWinograd(layer, isa))
            layer.window = LayerTests.window(3, 3, dilation: (2, 2), pad: (2, 2, 2, 2))
            #expect(!Self.goesByWinograd(layer, isa))
        }
    }
}
