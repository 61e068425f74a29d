import Kernels

/// One narrow layer with random tensors, to be run with any table. Outputs hold a mark beyond the channels and the rows.
struct NarrowCase: CustomStringConvertible, Sendable {
    var operation: kaption_operation
    var height = 5
    var width = 6
    var channels = 7
    var outputChannels: Int?
    var window = LayerTests.window(1, 1)
    var groups = 1
    var activation = kaption_activation(kind: KAPTION_LINEAR, alpha: 0, beta: 0)
    var countsPadding = false
    var hasBias = true
    /// nil: no second operand; else whether it is one pixel, repeated.
    var otherRepeats: Bool?
    /// Whether the output takes the place of the second operand.
    var isInPlace = false
    var input = NarrowCase.integers
    /// Of the second operand; nil: the input's.
    var other: kaption_numbers?
    var output = NarrowCase.wideIntegers
    var rows = 0.0...1.0
    /// What bytes and weights are drawn from; empty: all that there are.
    var inputs: [UInt8] = []
    var weights: [Float] = []
    /// Elements between the channels of one pixel and the next.
    var gap = 5

    static let integers = kaption_numbers(element: KAPTION_UINT8, scale: 0.031, zero: 117)
    static let wideIntegers = kaption_numbers(element: KAPTION_UINT8, scale: 0.05, zero: 90)
    static let floats = kaption_numbers(element: KAPTION_FLOAT32, scale: 0, zero: 0)
    static let halves = kaption_numbers(element: KAPTION_BFLOAT16, scale: 0, zero: 0)

    static let mark: UInt8 = 0xA5

    private var filters: Int { outputChannels ?? channels }
    var outputHeight: Int {
        if operation == KAPTION_GLOBAL_AVERAGE_POOL { return 1 }
        let reach = (window.kernel_height - 1) * window.dilation_height + 1
        return (height + window.pad_top + window.pad_bottom - reach) / window.stride_height + 1
    }
    var outputWidth: Int {
        if operation == KAPTION_GLOBAL_AVERAGE_POOL { return 1 }
        let reach = (window.kernel_width - 1) * window.dilation_width + 1
        return (width + window.pad_left + window.pad_right - reach) / window.stride_width + 1
    }

    var description: String {
        """
        operation \(operation.rawValue) \(height)×\(width)×\(channels) → \(outputHeight)×\(outputWidth)×\(filters) \
        \(window.kernel_height)×\(window.kernel_width) groups \(groups) activation \(activation.kind.rawValue) \
        elements \(input.element.rawValue) → \(output.element.rawValue)
        """
    }

    /// The output's elements, gaps included, and how many bytes outside the channels or rows were touched.
    func run(_ isa: kaption_isa, seed: UInt64 = 1) -> (values: [Float], touched: Int) {
        var random = RandomFloats(seed: seed)
        let taps = Int(window.kernel_height * window.kernel_width)
        let stride = channels + gap
        let outputStride = filters + gap
        let outputBytes = kaption_element_bytes(output.element)
        let source = Bytes.tensor(&random, count: height * width * stride, numbers: input)
        if !inputs.isEmpty {
            for index in 0..<height * width * stride { source.base[index] = random.element(of: inputs) }
        }
        let otherPixels = otherRepeats == true ? 1 : outputHeight * outputWidth
        let second = Bytes.tensor(&random, count: otherPixels * outputStride, numbers: other ?? input)
        let target = Bytes(count: outputHeight * outputWidth * outputStride * outputBytes, filler: Self.mark)
        var layer = kaption_layer()
        layer.operation = operation
        layer.activation = activation
        layer.window = window
        layer.groups = groups
        layer.counts_padding = countsPadding ? 1 : 0
        layer.input = kaption_tensor(
            data: source.floats, height: height, width: width, channels: channels, stride: stride)
        layer.output = kaption_tensor(
            data: target.floats, height: outputHeight, width: outputWidth, channels: filters, stride: outputStride)
        (layer.input_numbers, layer.output_numbers) = (input, output)
        if let otherRepeats {
            layer.has_other = 1
            layer.other = kaption_tensor(
                data: second.floats, height: otherRepeats ? 1 : outputHeight, width: otherRepeats ? 1 : outputWidth,
                channels: filters, stride: outputStride)
            layer.other_numbers = other ?? input
            if isInPlace {
                layer.other.data = target.floats
                for index in 0..<outputHeight * outputWidth * outputStride where index % outputStride < filters {
                    for byte in index * outputBytes..<(index + 1) * outputBytes {
                        target.base[byte] = second.base[byte]
                    }
                }
            }
        }
        let bias = Memory(random.floats(filters))
        var packed = Memory([])
        switch operation {
        case KAPTION_CONVOLUTION, KAPTION_DEPTHWISE:
            let perFilter = operation == KAPTION_DEPTHWISE ? taps : taps * channels / groups
            var weights = random.floats(filters * perFilter)
            if !self.weights.isEmpty { weights = weights.map { _ in random.element(of: self.weights) } }
            packed = Memory([Float](repeating: .nan, count: kaption_narrow_packed_floats(isa, &layer)))
            let isFinite = kaption_narrow_pack(isa, &layer, weights, hasBias ? bias.base : nil, packed.base)
            precondition(isFinite != 0)
        case KAPTION_SCALE_SHIFT: packed = Memory(random.floats(filters))
        case KAPTION_GATHER_CHANNELS:
            packed = Memory((0..<filters).map { Float(bitPattern: UInt32($0 * 7 % channels)) })
        default: break
        }
        let scratch = Memory([Float](repeating: .nan, count: kaption_narrow_scratch_floats(isa, &layer)))
        layer.scratch = scratch.base
        layer.weights = UnsafePointer(packed.base)
        layer.bias = UnsafePointer(bias.base)
        let first = Int(Double(outputHeight) * rows.lowerBound)
        let end = Int(Double(outputHeight) * rows.upperBound)
        (layer.row_begin, layer.row_end) = (first, end)
        kaption_layer_run(isa, &layer)
        var touched = 0
        var values: [Float] = []
        for index in 0..<outputHeight * outputWidth * outputStride {
            let inside =
                index % outputStride < filters && first..<end ~= index / (outputStride * outputWidth)
            if inside {
                values.append(target.element(index, output.element))
            } else {
                touched +=
                    (index * outputBytes..<(index + 1) * outputBytes)
                    .filter { target.base[$0] != Self.mark }.count
            }
        }
        return (values, touched)
    }
}

/// Bytes on a 64-byte boundary, with room behind them that may be read.
final class Bytes {
    let base: UnsafeMutablePointer<UInt8>

    init(count: Int, filler: UInt8) {
        base = UnsafeMutableRawPointer.allocate(byteCount: count + 64, alignment: 64)
            .bindMemory(to: UInt8.self, capacity: count + 64)
        base.initialize(repeating: filler, count: count + 64)
    }

    deinit { UnsafeMutableRawPointer(base).deallocate() }

    var floats: UnsafeMutablePointer<Float> {
        UnsafeMutableRawPointer(base).assumingMemoryBound(to: Float.self)
    }

    func element(_ index: Int, _ element: kaption_element) -> Float {
        let raw = UnsafeRawPointer(base)
        switch element {
        case KAPTION_UINT8: return Float(base[index])
        case KAPTION_BFLOAT16:
            return Float(bitPattern: UInt32(raw.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)) << 16)
        default: return raw.loadUnaligned(fromByteOffset: 4 * index, as: Float.self)
        }
    }

    /// Random elements: bytes of every value, numbers within ±4.
    static func tensor(_ random: inout RandomFloats, count: Int, numbers: kaption_numbers) -> Bytes {
        let bytes = Bytes(count: count * kaption_element_bytes(numbers.element), filler: 0x3e)
        let raw = UnsafeMutableRawPointer(bytes.base)
        for index in 0..<count {
            let value = random.next()
            switch numbers.element {
            case KAPTION_UINT8: bytes.base[index] = UInt8(min(max((value + 1) * 128, 0), 255))
            case KAPTION_BFLOAT16:
                raw.storeBytes(
                    of: UInt16((value * 4).bitPattern >> 16), toByteOffset: 2 * index, as: UInt16.self)
            default: raw.storeBytes(of: value * 4, toByteOffset: 4 * index, as: Float.self)
            }
        }
        return bytes
    }
}

/// The tables of narrow kernels that this CPU can run, but the plain one.
let narrowTables: [kaption_isa] =
    vectorTables
    + [KAPTION_ISA_AVX512_VNNI, KAPTION_ISA_AMX].filter { isa in
        if kaption_isa_available(isa) != 0 { return true }
        print("not tested: this CPU cannot run \(String(cString: kaption_isa_name(isa)))")
        return false
    }
