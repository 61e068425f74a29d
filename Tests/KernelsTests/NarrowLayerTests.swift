import Foundation
import Kernels
import Testing

/// Every narrow kernel of every table against its plain twin: 8-bit integers to the bit; bfloat16 within its rounding, as the order
/// of its sums is the instructions' own.
@Suite struct NarrowLayerTests {
    @Test(arguments: LayerTests.windows.indices) func convolutions(index: Int) {
        let shapes = [
            (1, 1, 1), (3, 8, 1), (3, 32, 1), (4, 18, 2), (6, 10, 2), (16, 48, 1), (19, 65, 1), (64, 50, 2),
            (130, 33, 1), (24, 24, 24), (5, 64, 1), (20, 112, 1),
        ]
        for (channels, filters, groups) in shapes {
            for (height, width) in [(1, 1), (7, 7), (12, 10)] {
                var layer = NarrowCase(
                    operation: KAPTION_CONVOLUTION, height: height, width: width, channels: channels)
                layer.outputChannels = filters
                layer.groups = groups
                layer.window = LayerTests.windows[index]
                guard layer.outputHeight >= 1, layer.outputWidth >= 1, height + width > 2 || index == 0 else {
                    continue
                }
                layer.hasBias = channels != 4
                layer.otherRepeats = channels.isMultiple(of: 2) ? nil : false
                layer.activation = LayerTests.activations[channels % 3 == 0 ? 1 : 0]
                layer.checkBesidePlain()
            }
        }
    }

    /// Images that take several strips of rows, and blocks of tiles that end anywhere.
    @Test(arguments: [(1, 61, 150), (2, 40, 131), (1, 3, 1050), (3, 64, 64)]) func largeConvolutions(
        stride: Int, height: Int, width: Int
    ) {
        for (channels, filters) in [(40, 33), (131, 5)] {
            var layer = NarrowCase(operation: KAPTION_CONVOLUTION, height: height, width: width, channels: channels)
            layer.outputChannels = filters
            layer.window = LayerTests.window(3, 3, stride: (stride, stride), pad: (1, 1, 1, 1))
            layer.activation = LayerTests.activations[1]
            for numbers in [NarrowCase.integers, NarrowCase.halves] {
                (layer.input, layer.output) = (numbers, numbers)
                layer.compareWithPlain {
                    abs($0 - $1) <= (numbers.element == KAPTION_UINT8 ? 0 : 0.008 * max(4, abs($1)))
                }
            }
        }
    }

    /// Few channels, as an image has: rows of windows are copied as one piece, wide ones in several pieces of a row.
    @Test(arguments: [(7, 2), (5, 1), (3, 2), (2, 3)]) func images(size: Int, stride: Int) {
        for (height, width, channels) in [(9, 11, 3), (23, 40, 4), (12, 900, 1), (8, 3000, 3), (7, 2, 2)] {
            for filters in [32, 61] {
                var layer = NarrowCase(
                    operation: KAPTION_CONVOLUTION, height: height, width: width, channels: channels,
                    outputChannels: filters)
                layer.window = LayerTests.window(size, size, stride: (stride, stride), pad: (size / 2, 1, size - 1, 2))
                guard layer.outputHeight >= 1, layer.outputWidth >= 1 else { continue }
                layer.activation = LayerTests.activations[1]
                layer.checkBesidePlain()
            }
        }
    }

    @Test(arguments: LayerTests.windows.indices) func depthwiseConvolutions(index: Int) {
        for channels in [1, 8, 15, 16, 40, 67] {
            for (height, width) in [(3, 3), (7, 7), (9, 14), (12, 31)] {
                var layer = NarrowCase(operation: KAPTION_DEPTHWISE, height: height, width: width, channels: channels)
                layer.groups = channels
                layer.window = LayerTests.windows[index]
                guard height + 6 >= layer.window.kernel_height * layer.window.dilation_height, layer.outputHeight >= 1,
                    layer.outputWidth >= 1
                else { continue }
                layer.hasBias = channels != 8
                layer.activation = LayerTests.activations[channels % 2]
                layer.checkBesidePlain()
            }
        }
    }

    @Test func kernelsOfManyTaps() {
        for operation in [KAPTION_CONVOLUTION, KAPTION_DEPTHWISE] {
            for size in [15, 17] {
                var layer = NarrowCase(operation: operation, height: 20, width: 21, channels: 5)
                layer.groups = operation == KAPTION_DEPTHWISE ? 5 : 1
                layer.window = LayerTests.window(size, size, pad: (3, 2, 1, 4))
                layer.checkBesidePlain()
            }
        }
    }

    @Test func longSums() {
        for pixels in [1, 2, 9, 40, 300] {
            for channels in [193, 1030] {
                var layer = NarrowCase(operation: KAPTION_CONVOLUTION, height: 1, width: pixels, channels: channels)
                layer.outputChannels = 100
                layer.otherRepeats = false
                layer.activation = LayerTests.activations[1]
                layer.output.scale = 1.5
                layer.checkBesidePlain()
            }
        }
    }

    @Test(arguments: LayerTests.windows.indices) func pools(index: Int) {
        for operation in [KAPTION_MAX_POOL, KAPTION_AVERAGE_POOL] {
            for (channels, countsPadding) in [(5, false), (16, true), (35, false), (48, true)] {
                var layer = NarrowCase(operation: operation, height: 11, width: 12, channels: channels)
                layer.window = LayerTests.windows[index]
                layer.countsPadding = countsPadding
                layer.checkBesidePlain()
                layer.output = layer.input
                layer.checkBesidePlain()
            }
        }
    }

    @Test func movesAndConversions() {
        for numbers in [NarrowCase.integers, NarrowCase.halves] {
            var layer = NarrowCase(operation: KAPTION_GATHER_CHANNELS, channels: 5)
            layer.outputChannels = 9
            (layer.input, layer.output) = (numbers, numbers)
            layer.compareWithPlain(==)
            layer = NarrowCase(operation: KAPTION_COPY, channels: 33)
            (layer.input, layer.output) = (numbers, numbers)
            layer.compareWithPlain(==)
            for channels in [1, 4, 33] {
                layer = NarrowCase(operation: KAPTION_CONVERT, channels: channels)
                (layer.input, layer.output) = (numbers, NarrowCase.floats)
                layer.compareWithPlain(==)
                (layer.input, layer.output) = (NarrowCase.floats, numbers)
                layer.compareWithPlain(==)
                layer.gap = 0
                layer.compareWithPlain(==)
            }
        }
    }

    /// A strip of rows has the bits of the whole.
    @Test(arguments: [KAPTION_CONVOLUTION.rawValue, KAPTION_DEPTHWISE.rawValue]) func strips(operation: UInt32) {
        for numbers in [NarrowCase.integers, NarrowCase.halves] {
            var layer = NarrowCase(
                operation: kaption_operation(operation), height: 20, width: 9, channels: 37, input: numbers,
                output: numbers)
            layer.groups = operation == KAPTION_DEPTHWISE.rawValue ? 37 : 1
            layer.window = LayerTests.window(3, 3, pad: (1, 1, 1, 1))
            for isa in [KAPTION_ISA_PLAIN] + narrowTables {
                layer.rows = 0...1
                let whole = layer.run(isa).values
                var parts: [Float] = []
                for rows in [0.0...0.3, 0.3...0.65, 0.65...1] {
                    layer.rows = rows
                    let strip = layer.run(isa)
                    #expect(strip.touched == 0)
                    parts += strip.values
                }
                #expect(parts == whole)
            }
        }
    }

    /// The integers stand for the product of the numbers that were given.
    @Test func approximatesTheRealConvolution() {
        var layer = NarrowCase(operation: KAPTION_CONVOLUTION, height: 9, width: 8, channels: 40)
        layer.outputChannels = 30
        layer.window = LayerTests.window(3, 3, pad: (1, 1, 1, 1))
        layer.output = NarrowCase.floats
        let narrow = layer.run(KAPTION_ISA_PLAIN).values
        layer.input = NarrowCase.halves
        let wider = layer.run(KAPTION_ISA_PLAIN).values
        // Both draw the same random numbers; the integers stand for (q − 117) · 0.031 of q = 128 · (u + 1), the others for 4 · u.
        let scale = Float(128 * 0.031 / 4)
        let offset = Float((128 - 117) * 0.031)
        let error = zip(narrow, wider).map { abs($0 - $1 * scale) }.reduce(0, +) / Float(narrow.count)
        let size = wider.map(abs).reduce(0, +) / Float(wider.count)
        #expect(error < 0.2 * size + offset * 20, "\(error) \(size)")
    }

    @Test(arguments: ProductTests.shapes.indices) func productsOfRows(index: Int) {
        let shape = ProductTests.shapes[index]
        var random = RandomFloats(seed: UInt64(index))
        let a = random.floats(shape.m * shape.k)
        let w = random.floats(shape.n * shape.k)
        let bias = random.floats(shape.n)
        let exact = (0..<shape.m * shape.n).map { at in
            let (i, j) = (at / shape.n, at % shape.n)
            return (0..<shape.k).reduce(bias[j]) { $0 + a[i * shape.k + $1] * w[j * shape.k + $1] }
        }
        for element in [KAPTION_UINT8, KAPTION_BFLOAT16] {
            let expected = product(KAPTION_ISA_PLAIN, element, shape, a, w, bias)
            let bound = (element == KAPTION_UINT8 ? 0.015 : 0.006) * Float(shape.k).squareRoot() + 0.01
            #expect(zip(expected, exact).allSatisfy { abs($0 - $1) < bound })
            for isa in narrowTables {
                let result = product(isa, element, shape, a, w, bias)
                let tolerance: Float = element == KAPTION_UINT8 ? 0 : 1e-5 * Float(shape.k)
                #expect(zip(result, expected).allSatisfy { abs($0 - $1) <= tolerance }, "\(isa.rawValue) \(shape)")
                let last = product(
                    isa, element, (1, shape.n, shape.k), Array(a.suffix(shape.k)), w, bias)
                #expect(last == Array(result.suffix(shape.n)))
            }
        }
    }

    private func product(
        _ isa: kaption_isa, _ element: kaption_element, _ shape: (m: Int, n: Int, k: Int), _ a: [Float], _ w: [Float],
        _ bias: [Float]
    ) -> [Float] {
        let packed = Memory(
            [Float](repeating: .nan, count: kaption_narrow_gemm_packed_floats(isa, element, shape.n, shape.k)))
        #expect(kaption_narrow_gemm_pack(isa, element, shape.n, shape.k, w, bias, packed.base) != 0)
        let rows = Bytes(
            count: shape.m * kaption_narrow_row_stride(shape.k) * kaption_element_bytes(element), filler: 0)
        var scales = [Float](repeating: 0, count: shape.m)
        kaption_narrow_rows(isa, element, shape.m, shape.k, a, shape.k, rows.base, &scales)
        var result = [Float](repeating: .nan, count: shape.m * shape.n)
        kaption_narrow_gemm(
            isa, element, shape.m, shape.n, shape.k, rows.base, scales, packed.base, &result, shape.n)
        return result
    }

    /// What is not finite is found out, not hidden by the clip to 8 bits.
    @Test func whatIsNotFiniteIsKept() {
        for isa in [KAPTION_ISA_PLAIN] + narrowTables {
            for wrong in [Float.nan, -.nan, .infinity, -.infinity] {
                for place in [0, 5, 19] {
                    var row = [Float](repeating: 0.5, count: 20)
                    row[place] = wrong
                    var scale: Float = 0
                    let bytes = Bytes(count: 32, filler: 0)
                    kaption_narrow_rows(isa, KAPTION_UINT8, 1, 20, row, 20, bytes.base, &scale)
                    #expect(!scale.isFinite)
                }
            }
            var layer = kaption_layer()
            layer.operation = KAPTION_CONVOLUTION
            layer.window = LayerTests.window(1, 1)
            layer.groups = 1
            (layer.input.channels, layer.output.channels) = (4, 1)
            layer.input_numbers = NarrowCase.integers
            let packed = Memory([Float](repeating: 0, count: kaption_narrow_packed_floats(isa, &layer)))
            #expect(kaption_narrow_pack(isa, &layer, [1, .infinity, 1, 1], nil, packed.base) == 0)
            #expect(kaption_narrow_pack(isa, &layer, [1, 1, 1, 1], [.nan], packed.base) == 0)
            #expect(kaption_narrow_pack(isa, &layer, [1, 1, 1, 1], [3], packed.base) == 1)
        }
    }
}
