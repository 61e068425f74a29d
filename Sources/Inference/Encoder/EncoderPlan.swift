import Kernels

/// A graph compiled for one instruction set: steps with addresses, and all their constants packed into one arena.
///
/// `@unchecked Sendable`: the pointers are written in `init` only; afterwards all threads only read them.
final class EncoderPlan: @unchecked Sendable {
    let arenaSize: Int
    let rowSize: Int
    /// Where the feature lies in the rows of the micro-batch.
    let feature: kaption_view
    let plan: UnsafePointer<kaption_plan>
    let observations: [Observation]

    /// A layer of the plan, for calibration.
    struct Observation {
        var layer: EncoderLayer
        /// Where what it reads first and what it makes lie.
        var input: kaption_view
        var output: kaption_view
        /// How many steps have run when its value is there.
        var steps: Int
    }

    private let steps: UnsafeMutableBufferPointer<kaption_step>
    private let constants: FloatBuffer

    /// - Throws: `ModelError`.
    init(
        _ graph: Graph, weights: (String) throws -> WeightTensor, instructionSet: InstructionSet,
        precision: ModelManifest.Precision.Kind, quantisation: Quantisation?, inStrips: Bool
    ) throws {
        var tensors: [String: WeightTensor] = [:]
        for name in Set(graph.nodes.flatMap(\.operation.weights)) { tensors[name] = try weights(name) }
        try graph.validate { tensors[$0]?.shape }
        _ = try graph.featureSize()
        try graph.checkLimits()
        let sequence = try LayerSequence(
            graph, precision: precision, quantisation: quantisation, instructionSet: instructionSet)
        let placement = try ValuePlacement(sequence, instructionSet.isa, inStrips: inStrips)
        var constants = ConstantLayout(instructionSet.isa, corrections: quantisation?.corrections ?? [:])
        var built: [kaption_step] = []
        var cut = 0
        var observations: [Observation] = []
        for (index, layer) in sequence.layers.enumerated() {
            if index == placement.cut { cut = built.count }
            if case .concatenate = layer.kind {
                for copy in placement.copies[index] ?? [] {
                    built.append(Self.copyStep(copy, into: layer.output, placement))
                }
            } else {
                var step = Self.step(layer, placement)
                constants.add(layer, to: &step)
                if let group = placement.strips.groups[index] {
                    step.group_steps = group.layers.count
                    step.strip_rows = group.rows
                }
                built.append(step)
            }
            observations.append(
                Observation(
                    layer: layer, input: placement.view(layer.inputs[0]), output: placement.view(layer.output),
                    steps: built.count))
        }
        self.observations = observations
        if placement.cut == sequence.layers.count { cut = built.count }
        self.constants = try constants.pack(tensors)
        arenaSize = placement.arenaSize
        rowSize = placement.rowSize
        feature = placement.view(sequence.output)
        steps = .allocate(capacity: built.count)
        _ = steps.initialize(from: built)
        let plan = UnsafeMutablePointer<kaption_plan>.allocate(capacity: 1)
        plan.initialize(
            to: kaption_plan(
                isa: instructionSet.isa, steps: UnsafePointer(steps.baseAddress), step_count: built.count, cut: cut,
                constants: UnsafePointer(self.constants.base),
                zeros: UnsafePointer(self.constants.base + constants.size)))
        self.plan = UnsafePointer(plan)
    }

    deinit {
        steps.deallocate()
        plan.deallocate()
    }

    private static func step(_ layer: EncoderLayer, _ placement: ValuePlacement) -> kaption_step {
        var step = kaption_step()
        step.activation = kaption_activation(layer.activation)
        step.window = kaption_window(layer.window)
        step.groups = 1
        step.input = placement.view(layer.inputs[0])
        step.output = placement.view(layer.output)
        if let other = layer.residual ?? layer.inputs.dropFirst().first {
            step.has_other = 1
            step.other = placement.view(other)
        }
        switch layer.kind {
        case .convolution(let convolution):
            step.operation = KAPTION_CONVOLUTION
            step.groups = convolution.groups
            step.scratch = placement.scratch[layer.output] ?? 0
            if let tile = placement.winograd[layer.output] {
                step.operation = KAPTION_WINOGRAD
                step.tile = tile
            }
        case .depthwise: step.operation = KAPTION_DEPTHWISE
        case .add: step.operation = KAPTION_ADD
        case .multiply: step.operation = KAPTION_MULTIPLY
        case .scaleShift: step.operation = KAPTION_SCALE_SHIFT
        case .activation: step.operation = KAPTION_ACTIVATION
        case .maxPool: step.operation = KAPTION_MAX_POOL
        case .averagePool(let countsPadding):
            step.operation = KAPTION_AVERAGE_POOL
            step.counts_padding = countsPadding ? 1 : 0
        case .globalAveragePool: step.operation = KAPTION_GLOBAL_AVERAGE_POOL
        case .gatherChannels: step.operation = KAPTION_GATHER_CHANNELS
        case .convert: step.operation = KAPTION_CONVERT
        case .flatten, .concatenate:
            // The pixels of the image without the floats between them.
            step.operation = KAPTION_COPY
            (step.output.height, step.output.width) = (step.input.height, step.input.width)
            step.output.channels = step.input.channels
            step.output.stride = step.input.channels
        }
        return step
    }

    private static func copyStep(
        _ copy: (value: Int, channel: Int), into output: Int, _ placement: ValuePlacement
    ) -> kaption_step {
        var step = kaption_step()
        step.operation = KAPTION_COPY
        step.groups = 1
        step.input = placement.view(copy.value)
        step.output = placement.view(output)
        step.output.channels = step.input.channels
        step.output.channel += copy.channel
        return step
    }
}

extension kaption_window {
    init(_ window: Graph.Window) {
        self.init(
            kernel_height: window.kernelHeight, kernel_width: window.kernelWidth,
            stride_height: window.strideHeight, stride_width: window.strideWidth,
            dilation_height: window.dilationHeight, dilation_width: window.dilationWidth,
            pad_top: window.padTop, pad_left: window.padLeft,
            pad_bottom: window.padBottom, pad_right: window.padRight)
    }
}

extension kaption_activation {
    init(_ activation: Graph.Activation?) {
        switch activation {
        case nil: self.init(kind: KAPTION_LINEAR, alpha: 0, beta: 0)
        case .relu: self.init(kind: KAPTION_CLIP, alpha: 0, beta: .infinity)
        case .clip(let minimum, let maximum): self.init(kind: KAPTION_CLIP, alpha: minimum, beta: maximum)
        case .sigmoid: self.init(kind: KAPTION_SIGMOID, alpha: 0, beta: 0)
        case .hardSigmoid(let alpha, let beta): self.init(kind: KAPTION_HARD_SIGMOID, alpha: alpha, beta: beta)
        case .hardSwish: self.init(kind: KAPTION_HARD_SWISH, alpha: 0, beta: 0)
        case .silu: self.init(kind: KAPTION_SILU, alpha: 0, beta: 0)
        case .gelu: self.init(kind: KAPTION_GELU, alpha: 0, beta: 0)
        }
    }
}
