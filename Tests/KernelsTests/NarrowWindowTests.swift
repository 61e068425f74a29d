import Kernels
import Testing

/// Shapes that have kernels of their own: depthwise windows of 3×3 and 5×5, filters that leave half a vector, and rows of 1×1.
@Suite struct NarrowWindowTests {
    private static let activations = [KAPTION_LINEAR, KAPTION_CLIP, KAPTION_SILU].map {
        kaption_activation(kind: $0, alpha: -0.75, beta: 0.5)
    }

    @Test(arguments: [3, 5], [1, 2]) func depthwise(size: Int, stride: Int) {
        let pads = [
            (0, 0, 0, 0), (size / 2, size / 2, size / 2, size / 2), (1, size - 1, 2, 0),
            (size + 1, size, size, size + 2),
        ]
        for (index, pad) in pads.enumerated() {
            for (height, width) in [(1, 1), (4, 2), (7, 7), (5, 18)] {
                for channels in [1, 16, 24, 33, 64, 100] {
                    var layer = NarrowCase(
                        operation: KAPTION_DEPTHWISE, height: height, width: width, channels: channels)
                    layer.groups = channels
                    layer.window = LayerTests.window(
                        size, size, stride: (stride, stride), dilation: (index == 2 ? 2 : 1, 1), pad: pad)
                    guard layer.outputHeight >= 1, layer.outputWidth >= 1 else { continue }
                    layer.activation = Self.activations[(channels + height) % 3]
                    layer.checkBesidePlain()
                    // Tails to bytes of a clip alone start at zero.
                    layer.output.zero = 0
                    layer.rows = 0.4...0.9
                    layer.checkBesidePlain()
                }
            }
        }
    }

    @Test(arguments: [8, 24, 40, 88]) func halfVectors(filters: Int) {
        for (height, width) in [(1, 8), (3, 5), (7, 7), (8, 9)] {
            for (channels, groups, size) in [(16, 1, 1), (50, 1, 1), (40, 2, 1), (19, 1, 3)] {
                for (index, activation) in Self.activations.enumerated() {
                    var layer = NarrowCase(
                        operation: KAPTION_CONVOLUTION, height: height, width: width, channels: channels,
                        outputChannels: filters, groups: groups, activation: activation)
                    layer.window = LayerTests.window(size, size, pad: (size / 2, size / 2, size / 2, size / 2))
                    layer.otherRepeats = index < 2 && channels != 50 ? false : nil
                    layer.checkBesidePlain()
                    layer.other = layer.otherRepeats == nil ? nil : NarrowCase.floats
                    layer.rows = 0.3...0.8
                    layer.checkBesidePlain()
                }
            }
        }
    }
}
