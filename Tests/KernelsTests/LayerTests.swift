import Kernels
import Testing

/// Every kernel of every table against its plain twin. All sums run in the same order with the same FMAs, so that the bits are
/// equal, except through the exponential function.
@Suite struct LayerTests {
    private func check(_ layer: LayerCase, tolerance: Float = 0) {
        let expected = layer.run(KAPTION_ISA_PLAIN)
        #expect(expected.touched == 0)
        for isa in vectorTables {
            let result = layer.run(isa)
            let name = String(cString: kaption_isa_name(isa))
            #expect(result.touched == 0, "\(name) wrote outside: \(layer)")
            let worst =
                zip(result.values, expected.values).map { a, b in
                    a == b || (a.isNaN && b.isNaN) ? 0 : abs(a - b) / max(1, abs(b))
                }.max() ?? 0
            #expect(worst <= tolerance, "\(name): \(layer)")
        }
    }

    static func window(
        _ height: Int, _ width: Int, stride: (Int, Int) = (1, 1), dilation: (Int, Int) = (1, 1),
        pad: (Int, Int, Int, Int) = (0, 0, 0, 0)
    ) -> kaption_window {
        kaption_window(
            kernel_height: height, kernel_width: width, stride_height: stride.0, stride_width: stride.1,
            dilation_height: dilation.0, dilation_width: dilation.1, pad_top: pad.0, pad_left: pad.1, pad_bottom: pad.2,
            pad_right: pad.3)
    }

    static let windows = [
        window(1, 1), window(1, 1, stride: (2, 2)), window(1, 1, pad: (1, 0, 0, 2)),
        window(3, 3, pad: (1, 1, 1, 1)), window(3, 3, stride: (2, 2), pad: (0, 0, 1, 1)),
        window(5, 5, pad: (2, 2, 2, 2)), window(5, 5, stride: (2, 2), pad: (1, 2, 2, 1)),
        window(1, 7, pad: (0, 3, 0, 3)), window(7, 1, stride: (3, 1), pad: (2, 0, 4, 0)),
        window(3, 3, stride: (1, 2), dilation: (2, 3), pad: (2, 3, 2, 3)), window(2, 4, pad: (1, 0, 0, 3)),
        window(9, 9, pad: (4, 4, 4, 4)), window(3, 3, stride: (2, 2), dilation: (2, 2), pad: (3, 3, 3, 3)),
    ]

    static let activations: [kaption_activation] = (0..<KAPTION_ACTIVATION_COUNT.rawValue).map {
        kaption_activation(kind: kaption_activation_kind(rawValue: $0), alpha: -0.75, beta: 0.5)
    }

    private func tolerance(_ activation: kaption_activation) -> Float {
        [KAPTION_SIGMOID, KAPTION_SILU, KAPTION_GELU].contains(activation.kind) ? 1e-6 : 0
    }

    @Test(arguments: windows.indices) func convolutions(index: Int) {
        let shapes = [
            (1, 1, 1), (3, 8, 1), (3, 32, 1), (4, 18, 2), (16, 48, 1), (19, 65, 1), (64, 50, 2), (200, 33, 1),
            (24, 24, 24),
        ]
        for (channels, filters, groups) in shapes {
            for (height, width) in [(1, 1), (7, 7), (13, 10)] {
                var layer = LayerCase(operation: KAPTION_CONVOLUTION, height: height, width: width, channels: channels)
                layer.outputChannels = filters
                layer.groups = groups
                layer.window = Self.windows[index]
                guard layer.outputHeight >= 1, layer.outputWidth >= 1, height + width > 2 || index == 0 else {
                    continue
                }
                layer.hasBias = channels != 4
                layer.otherRepeats = channels.isMultiple(of: 2) ? nil : false
                check(layer)
            }
        }
    }

    @Test(arguments: windows.indices) func depthwiseConvolutions(index: Int) {
        for channels in [1, 8, 15, 16, 40, 67] {
            for (height, width) in [(3, 3), (7, 7), (9, 14), (12, 31)] {
                var layer = LayerCase(operation: KAPTION_DEPTHWISE, height: height, width: width, channels: channels)
                layer.window = Self.windows[index]
                guard height + 6 >= layer.window.kernel_height * layer.window.dilation_height, layer.outputHeight >= 1,
                    layer.outputWidth >= 1
                else { continue }
                layer.hasBias = channels != 8
                layer.activation = Self.activations[channels % 2]
                check(layer)
            }
        }
    }

    /// More taps than a block of the products or the depthwise kernel holds.
    @Test func kernelsOfManyTaps() {
        for operation in [KAPTION_CONVOLUTION, KAPTION_DEPTHWISE] {
            var layer = LayerCase(operation: operation, height: 30, width: 31, channels: 5)
            layer.window = Self.window(29, 25, pad: (3, 2, 1, 4))
            check(layer)
        }
    }

    /// Sums in several blocks of k, over one tile of rows and over many.
    @Test func longSums() {
        for pixels in [1, 2, 9, 40, 300] {
            for channels in [191, 193, 400, 1030] {
                var layer = LayerCase(operation: KAPTION_CONVOLUTION, height: 1, width: pixels, channels: channels)
                layer.outputChannels = 100
                layer.otherRepeats = false
                layer.activation = Self.activations[1]
                check(layer)
            }
        }
    }

    /// A sum that takes the place of what it adds is the sum that does not.
    @Test func sumsInPlace() {
        for (channels, filters) in [(3, 5), (40, 100), (193, 33), (300, 64), (512, 49), (512, 520)] {
            for (height, width) in [(1, 1), (5, 5), (9, 31)] {
                for activation in Self.activations.prefix(2) {
                    var layer = LayerCase(
                        operation: KAPTION_CONVOLUTION, height: height, width: width, channels: channels)
                    layer.outputChannels = filters
                    layer.otherRepeats = false
                    layer.activation = activation
                    let apart = layer.run(KAPTION_ISA_PLAIN).values
                    layer.isInPlace = true
                    for isa in [KAPTION_ISA_PLAIN] + vectorTables {
                        let inPlace = layer.run(isa)
                        #expect(inPlace.touched == 0)
                        #expect(inPlace.values == apart, "\(layer)")
                    }
                }
            }
        }
    }

    /// Weights of more than a megabyte: rows are gathered, tap by tap, over few and many pixels.
    @Test(arguments: [(67, 440, 1), (131, 500, 2), (513, 517, 1)]) func manyWeights(
        channels: Int, filters: Int, stride: Int
    ) {
        for (height, width) in [(1, 3), (5, 5), (9, 9)] {
            var layer = LayerCase(operation: KAPTION_CONVOLUTION, height: height, width: width, channels: channels)
            layer.outputChannels = filters
            layer.window =
                channels > 500
                ? Self.window(1, 1) : Self.window(3, 3, stride: (stride, stride), dilation: (1, 2), pad: (1, 2, 1, 2))
            layer.otherRepeats = height == 5 ? false : nil
            layer.hasBias = height != 9
            layer.activation = Self.activations[height == 1 ? Int(KAPTION_SILU.rawValue) : 1]
            check(layer, tolerance: tolerance(layer.activation))
        }
    }

    /// Images whose rows are copied in several pieces, and several rows at a time.
    @Test(arguments: [(3, 1100), (7, 600), (3, 20), (31, 131)]) func images(kernel: Int, width: Int) {
        for channels in [1, 3, 4] {
            for stride in [1, 2] {
                var layer = LayerCase(operation: KAPTION_CONVOLUTION, height: 33, width: width, channels: channels)
                layer.outputChannels = 20
                layer.window = Self.window(
                    kernel, kernel, stride: (stride, stride), pad: (kernel / 2, kernel / 2, kernel / 2, kernel / 2))
                layer.otherRepeats = channels == 3 ? false : nil
                check(layer)
            }
        }
    }

    @Test(arguments: activations.indices) func tails(index: Int) {
        let activation = Self.activations[index]
        let operations = [
            KAPTION_CONVOLUTION, KAPTION_DEPTHWISE, KAPTION_ADD, KAPTION_MULTIPLY, KAPTION_SCALE_SHIFT,
            KAPTION_ACTIVATION,
            KAPTION_MAX_POOL, KAPTION_AVERAGE_POOL, KAPTION_GLOBAL_AVERAGE_POOL,
        ]
        for operation in operations {
            for channels in [1, 8, 21, 64, 100] {
                var layer = LayerCase(operation: operation, channels: channels)
                layer.activation = activation
                if operation == KAPTION_ADD || operation == KAPTION_MULTIPLY { layer.otherRepeats = channels == 21 }
                check(layer, tolerance: tolerance(activation) * 4)
            }
        }
    }

    @Test(arguments: windows.indices) func pools(index: Int) {
        for operation in [KAPTION_MAX_POOL, KAPTION_AVERAGE_POOL] {
            for (channels, countsPadding) in [(5, false), (16, true), (35, false), (48, true)] {
                var layer = LayerCase(operation: operation, height: 11, width: 12, channels: channels)
                layer.window = Self.windows[index]
                layer.countsPadding = countsPadding
                layer.overhang = (layer.window.stride_height == 2 ? 1 : 0, 0)
                check(layer)
            }
        }
    }

    @Test func copiesAndGathers() {
        var gather = LayerCase(operation: KAPTION_GATHER_CHANNELS, channels: 5)
        gather.outputChannels = 9
        check(gather)
        check(LayerCase(operation: KAPTION_COPY, channels: 33))
    }

    /// A strip of rows has the bits of the whole.
    @Test(
        arguments: [KAPTION_CONVOLUTION, KAPTION_DEPTHWISE, KAPTION_MAX_POOL, KAPTION_AVERAGE_POOL, KAPTION_ADD].map(
            \.rawValue))
    func strips(operation: UInt32) {
        var layer = LayerCase(operation: kaption_operation(operation), height: 20, width: 9, channels: 37)
        if operation == KAPTION_ADD.rawValue {
            layer.otherRepeats = false
        } else {
            layer.window = Self.window(3, 3, pad: (1, 1, 1, 1))
        }
        for isa in [KAPTION_ISA_PLAIN] + vectorTables {
            layer.rows = 0...1
            let whole = layer.run(isa).values
            for rows in [0.0...0.05, 0.3...0.65, 0.65...1] {
                layer.rows = rows
                let strip = layer.run(isa)
                #expect(strip.touched == 0)
                #expect(zip(strip.values, whole).allSatisfy { $0 == LayerCase.mark || $0 == $1 })
            }
        }
    }

    /// What is not a number stays so: the caption must be refused, not made up.
    @Test func notANumberIsKept() {
        for isa in [KAPTION_ISA_PLAIN] + vectorTables {
            for activation in Self.activations {
                for value in [Float.nan, -.nan] {
                    let data = Memory([Float](repeating: value, count: 20))
                    let output = Memory([Float](repeating: 0, count: 20))
                    for operation in [KAPTION_ACTIVATION, KAPTION_MAX_POOL] {
                        var layer = kaption_layer()
                        layer.operation = operation
                        layer.activation = activation
                        layer.window = Self.window(1, 1)
                        layer.input = kaption_tensor(data: data.base, height: 1, width: 1, channels: 20, stride: 20)
                        layer.output = kaption_tensor(data: output.base, height: 1, width: 1, channels: 20, stride: 20)
                        layer.row_end = 1
                        kaption_layer_run(isa, &layer)
                        #expect(output.values.allSatisfy { $0.isNaN }, "\(isa.rawValue) \(activation.kind.rawValue)")
                    }
                }
            }
        }
    }
}
