import Kernels

/// What rounding a convolution's weights to 8 bits adds to its output channels in the mean: Σ (rounded − weight) · mean of what the
/// weight meets. Taking it off the bias brings the layer's mean back (Nagel et al., "Data-Free Quantization Through Weight Equalization and
/// Bias Correction", 2019, section 4.2, with means that are measured).
struct RoundingCorrection {
    let convolution: EncoderLayer.Convolution
    private let isDepthwise: Bool
    private let window: kaption_window
    /// What each tap meets, summed over output pixels: `[taps][channels]`.
    private var sums: [Double]
    private var pixels = 0

    /// nil for a layer that has no weights.
    init?(_ observation: EncoderPlan.Observation) {
        switch observation.layer.kind {
        case .convolution(let convolution): (self.convolution, isDepthwise) = (convolution, false)
        case .depthwise(let convolution): (self.convolution, isDepthwise) = (convolution, true)
        default: return nil
        }
        window = kaption_window(observation.layer.window)
        sums = Array(repeating: 0, count: observation.layer.window.taps * observation.input.channels)
    }

    /// Adds what one image has at the layer's input. Cells outside the image are zeros.
    mutating func add(_ input: UnsafePointer<Float>, _ view: kaption_view, output: kaption_view) {
        let channels = view.channels
        var tapSums = [Float](repeating: 0, count: channels)
        for tap in 0..<sums.count / channels {
            let (row, column) = (tap / window.kernel_width, tap % window.kernel_width)
            for index in tapSums.indices { tapSums[index] = 0 }
            for y in 0..<output.height {
                let inY = y * window.stride_height + row * window.dilation_height - window.pad_top
                guard 0..<view.height ~= inY else { continue }
                for x in 0..<output.width {
                    let inX = x * window.stride_width + column * window.dilation_width - window.pad_left
                    guard 0..<view.width ~= inX else { continue }
                    let pixel = input + (inY * view.width + inX) * view.stride
                    for channel in 0..<channels { tapSums[channel] += pixel[channel] }
                }
            }
            for channel in 0..<channels { sums[tap * channels + channel] += Double(tapSums[channel]) }
        }
        pixels += output.height * output.width
    }

    /// The correction of each output channel.
    func values(_ tensors: [String: WeightTensor]) throws -> [Float] {
        let weight = try ConstantLayout.fold(convolution, tensors).weight
        let filters = convolution.weightShape[0]
        let perFilter = weight.count / filters
        let channelsPerGroup = convolution.weightShape.last ?? 1
        let taps = perFilter / channelsPerGroup
        let channels = sums.count / taps
        var rounded = [Float](repeating: 0, count: perFilter)
        return weight.withUnsafeBufferPointer { weight in
            guard let base = weight.baseAddress else { return [] }
            return (0..<filters).map { filter in
                let row = base + filter * perFilter
                kaption_narrow_rounded_weights(perFilter, row, &rounded)
                let first = isDepthwise ? filter : filter / (filters / convolution.groups) * channelsPerGroup
                var sum = 0.0
                for index in 0..<perFilter {
                    let at = index / channelsPerGroup * channels + first + index % channelsPerGroup
                    sum += Double(rounded[index] - row[index]) * sums[at]
                }
                return Float(sum / Double(max(pixels, 1)))
            }
        }
    }
}
