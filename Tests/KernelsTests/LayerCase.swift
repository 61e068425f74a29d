import Kernels

/// One layer with random tensors, to be run with any table. Inputs hold NaN between `channels` and `stride`, outputs a mark:
/// kernels neither read nor write there.
struct LayerCase: CustomStringConvertible, Sendable {
    var operation: kaption_operation
    var height = 5
    var width = 6
    var channels = 7
    var outputChannels: Int?
    /// Floats between the channels of one pixel and the next, beyond the channels.
    var gap = 3
    var window = kaption_window(
        kernel_height: 1, kernel_width: 1, stride_height: 1, stride_width: 1, dilation_height: 1, dilation_width: 1,
        pad_top: 0, pad_left: 0, pad_bottom: 0, pad_right: 0)
    /// Windows that hang over the end (ceil_mode), down and to the right.
    var overhang = (0, 0)
    var groups = 1
    var activation = kaption_activation(kind: KAPTION_LINEAR, alpha: 0, beta: 0)
    var countsPadding = false
    /// Of a Winograd convolution.
    var tile = kaption_winograd_tile(height: 0, width: 0)
    var hasBias = true
    /// nil: no second operand; else whether it is one pixel, repeated.
    var otherRepeats: Bool?
    /// Whether the output takes the place of the second operand.
    var isInPlace = false
    /// The output rows to compute, from 0 to 1.
    var rows = 0.0...1.0

    static let mark: Float = -12345.5

    var outputHeight: Int {
        if operation == KAPTION_GLOBAL_AVERAGE_POOL { return 1 }
        let reach = (window.kernel_height - 1) * window.dilation_height + 1
        return (height + window.pad_top + window.pad_bottom - reach) / window.stride_height + 1 + overhang.0
    }
    var outputWidth: Int {
        if operation == KAPTION_GLOBAL_AVERAGE_POOL { return 1 }
        let reach = (window.kernel_width - 1) * window.dilation_width + 1
        return (width + window.pad_left + window.pad_right - reach) / window.stride_width + 1 + overhang.1
    }

    var description: String {
        """
        operation \(operation.rawValue) \(height)×\(width)×\(channels) → \(outputHeight)×\(outputWidth)×\(outputChannels ?? channels) \
        \(window.kernel_height)×\(window.kernel_width) groups \(groups) activation \(activation.kind.rawValue)
        """
    }

    /// The output with all gaps, and the number of floats outside the channels or rows that were touched.
    func run(_ isa: kaption_isa, seed: UInt64 = 1) -> (values: [Float], touched: Int) {
        var random = RandomFloats(seed: seed)
        let filters = outputChannels ?? channels
        let stride = channels + gap
        let outputStride = filters + gap
        let input = Memory(random.tensor(pixels: height * width, channels: channels, stride: stride))
        let output = Memory([Float](repeating: Self.mark, count: outputHeight * outputWidth * outputStride))
        let otherPixels = otherRepeats == true ? 1 : outputHeight * outputWidth
        let other = Memory(random.tensor(pixels: otherPixels, channels: filters, stride: outputStride))
        let taps = Int(window.kernel_height * window.kernel_width)
        let bias = Memory(random.floats(filters))
        let zeros = Memory([Float](repeating: 0, count: channels))
        var packed = Memory([])
        var scratch = Memory([])
        switch operation {
        case KAPTION_CONVOLUTION:
            let weights = random.floats(filters * taps * channels / groups)
            packed = Memory(
                [Float](
                    repeating: .nan,
                    count: kaption_convolution_packed_floats(isa, filters, taps, channels / groups, groups)))
            kaption_convolution_pack(isa, filters, taps, channels / groups, groups, weights, packed.base)
        case KAPTION_WINOGRAD:
            var window = window
            let weights = random.floats(filters * taps * channels)
            packed = Memory(
                [Float](repeating: .nan, count: kaption_winograd_packed_floats(isa, &window, tile, filters, channels)))
            let room = Memory([Float](repeating: .nan, count: filters * channels))
            kaption_winograd_pack(isa, &window, tile, filters, channels, weights, room.base, packed.base)
            scratch = Memory(
                [Float](
                    repeating: .nan,
                    count: kaption_winograd_scratch_floats(
                        &window, tile, outputHeight, outputWidth, channels, filters)))
        case KAPTION_DEPTHWISE:
            let weights = random.floats(filters * taps)
            packed = Memory([Float](repeating: .nan, count: kaption_depthwise_packed_floats(filters, taps)))
            kaption_depthwise_pack(filters, taps, weights, packed.base)
        case KAPTION_SCALE_SHIFT: packed = Memory(random.floats(filters))
        case KAPTION_GATHER_CHANNELS:
            let indices = (0..<filters).map { Float(bitPattern: UInt32($0 * 7 % channels)) }
            packed = Memory(indices)
        default: break
        }
        let needsBias = operation == KAPTION_SCALE_SHIFT || hasBias
        let first = Int(Double(outputHeight) * rows.lowerBound)
        let end = Int(Double(outputHeight) * rows.upperBound)
        var layer = kaption_layer()
        layer.operation = operation
        layer.activation = activation
        layer.window = window
        layer.groups = groups
        layer.counts_padding = countsPadding ? 1 : 0
        layer.has_other = otherRepeats == nil ? 0 : 1
        layer.input = kaption_tensor(data: input.base, height: height, width: width, channels: channels, stride: stride)
        layer.other = kaption_tensor(
            data: other.base, height: otherRepeats == true ? 1 : outputHeight,
            width: otherRepeats == true ? 1 : outputWidth, channels: filters, stride: outputStride)
        layer.output = kaption_tensor(
            data: output.base, height: outputHeight, width: outputWidth, channels: filters, stride: outputStride)
        if isInPlace {
            layer.other.data = output.base
            for pixel in 0..<otherPixels {
                (output.base + pixel * outputStride).update(from: other.base + pixel * outputStride, count: filters)
            }
        }
        layer.weights = UnsafePointer(packed.base)
        layer.bias = needsBias ? UnsafePointer(bias.base) : nil
        layer.zeros = UnsafePointer(zeros.base)
        (layer.tile, layer.scratch) = (tile, scratch.base)
        (layer.row_begin, layer.row_end) = (first, end)
        kaption_layer_run(isa, &layer)
        let values = output.values
        let inside = { (index: Int) in
            index % outputStride < filters && first..<end ~= index / (outputStride * outputWidth)
        }
        return (values, values.indices.filter { !inside($0) && values[$0] != Self.mark }.count)
    }
}

/// Floats on a 64-byte boundary.
final class Memory {
    let base: UnsafeMutablePointer<Float>
    let count: Int

    init(_ values: [Float]) {
        count = values.count
        base = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * 4, alignment: 64)
            .bindMemory(to: Float.self, capacity: max(count, 1))
        base.initialize(from: values, count: count)
    }

    deinit { UnsafeMutableRawPointer(base).deallocate() }

    var values: [Float] { Array(UnsafeBufferPointer(start: base, count: count)) }
}

/// Reproducible random floats (SplitMix64; Steele, Lea and Flood 2014).
struct RandomFloats {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> Float {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Float((z ^ (z >> 31)) >> 40) / Float(1 << 23) - 1
    }

    mutating func floats(_ count: Int) -> [Float] { (0..<count).map { _ in next() } }

    mutating func element<Element>(of choices: [Element]) -> Element {
        choices[Int((next() + 1) / 2 * Float(choices.count))]
    }

    mutating func tensor(pixels: Int, channels: Int, stride: Int) -> [Float] {
        (0..<pixels * stride).map { $0 % stride < channels ? next() * 4 : .nan }
    }
}

/// The vector tables of this CPU. One that the CPU lacks is left out, and says so.
let vectorTables: [kaption_isa] = [KAPTION_ISA_AVX2, KAPTION_ISA_AVX512].filter { isa in
    if kaption_isa_available(isa) != 0 { return true }
    print("not tested: this CPU cannot run \(String(cString: kaption_isa_name(isa)))")
    return false
}
