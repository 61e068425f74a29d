import Kernels

/// What benchmarks look at: the steps of an encoder's plan, one by one.
extension Encoder {
    public struct Step: Sendable {
        /// What it computes, with shapes.
        public var description: String
        public var multiplyAdds: Int
        /// Its first step in the plan.
        fileprivate var index: Int
    }

    /// In the order in which they run. A group that runs by strips counts as one.
    public var steps: [Step] {
        var result: [Step] = []
        var index = 0
        while index < plan.plan.pointee.step_count {
            let first = plan.plan.pointee.steps[index]
            let count = max(first.group_steps, 1)
            let members = (index..<index + count).map { plan.plan.pointee.steps[$0] }
            let description = members.map(\.summary).joined(separator: " + ")
            let multiplyAdds = members.reduce(0) { $0 + $1.multiplyAdds }
            result.append(Step(description: description, multiplyAdds: multiplyAdds, index: index))
            index += count
        }
        return result
    }
}

extension EncoderWorkspace {
    /// Runs one step for row 0. Its numbers mean something only when all steps before it have run.
    public func run(_ step: Encoder.Step) { runStep(step.index) }
}

extension kaption_step {
    fileprivate var multiplyAdds: Int {
        let pixels = output.height * output.width * output.channels
        let taps = window.kernel_height * window.kernel_width
        switch operation {
        case KAPTION_CONVOLUTION, KAPTION_WINOGRAD: return pixels * taps * (input.channels / groups)
        case KAPTION_DEPTHWISE: return pixels * taps
        default: return 0
        }
    }

    fileprivate var summary: String {
        let shapes = "\(input.height)×\(input.width)×\(input.channels) → \(output.channels)"
        let kernel = "\(window.kernel_height)×\(window.kernel_width)/\(window.stride_height)"
        switch operation {
        case KAPTION_CONVOLUTION: return "convolution \(kernel) \(shapes)" + (groups > 1 ? " in \(groups) groups" : "")
        case KAPTION_WINOGRAD: return "Winograd \(kernel) by \(tile.height)×\(tile.width) \(shapes)"
        case KAPTION_DEPTHWISE: return "depthwise \(kernel) \(shapes)"
        case KAPTION_ADD: return "add \(shapes)"
        case KAPTION_MULTIPLY: return "multiply \(shapes)"
        case KAPTION_MAX_POOL: return "maximum \(kernel) \(shapes)"
        case KAPTION_AVERAGE_POOL: return "average \(kernel) \(shapes)"
        case KAPTION_GLOBAL_AVERAGE_POOL: return "global average \(shapes)"
        case KAPTION_ACTIVATION: return "activation \(shapes)"
        case KAPTION_SCALE_SHIFT: return "scale and shift \(shapes)"
        default: return "copy \(shapes)"
        }
    }
}
