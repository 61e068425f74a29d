import Kernels

/// Where every value lies: in which memory, at which offset, with which stride.
///
/// A concatenation whose parts are made for it alone costs nothing: its parts are written into slices of its channels. Nested
/// ones (DenseNet's, each of which extends the one before) share the buffer of the longest.
struct ValuePlacement {
    /// Parts of concatenations that have to be copied: layer index → (value, first channel).
    private(set) var copies: [Int: [(value: Int, channel: Int)]] = [:]
    private(set) var arenaSize = 0
    /// Floats in `KAPTION_SPACE_ROWS` for each image of the micro-batch.
    private(set) var rowSize = 0
    /// Steps before it run image by image.
    let cut: Int
    let strips: StripGroups
    /// The convolutions that go by Winograd's algorithm, by the value that they make: their tiles.
    private(set) var winograd: [Int: kaption_winograd_tile] = [:]
    /// Where in the arena a layer's scratch memory begins, by the value that it makes.
    private(set) var scratch: [Int: Int] = [:]

    private struct Slice {
        var buffer: Int
        var channel: Int
    }

    private struct Buffer {
        var stride: Int
        var pixels: Int
        var elementBytes: Int
        var offset = 0
        var lifetime: ClosedRange<Int>?
    }

    /// Floats that narrow kernels may read behind a value.
    private static let slack = 16

    private let sequence: LayerSequence
    private let isa: kaption_isa
    private var slices: [Int: Slice] = [:]
    private var buffers: [Buffer] = []
    private var rowOffsets: [Int: Int] = [:]

    /// - Parameter inStrips: whether chains of layers may keep only some rows of the values between them.
    init(_ sequence: LayerSequence, _ isa: kaption_isa, inStrips: Bool) throws {
        self.sequence = sequence
        self.isa = isa
        let layers = sequence.layers
        let isFlat = { (value: Int) in !sequence.isImage(value) && sequence.shape(of: value).isFlat }
        cut =
            (layers.lastIndex { !($0.isPointwise && isFlat($0.output) && $0.reads.allSatisfy(isFlat)) })
            .map { $0 + 1 } ?? 0
        strips = StripGroups(
            layers, cut: inStrips ? cut : 0, output: sequence.output, shape: sequence.shape,
            elementBytes: { kaption_element_bytes(sequence.numbers(of: $0).element) })
        placeRows(layers, sequence.output)
        for (index, layer) in layers.enumerated().reversed() {
            if case .concatenate = layer.kind { placeParts(of: layer, at: index) }
        }
        let shared = buffers.count
        for (index, layer) in layers.prefix(cut).enumerated() where !isPlaced(layer.output) {
            if let residual = residualToOverwrite(by: layer, at: index), let slice = slices[residual],
                slice.buffer >= shared
            {
                slices[layer.output] = slice
            } else {
                makeBuffer(for: layer.output)
            }
        }
        try placeArena(layers)
    }

    /// The floats of scratch memory that a layer takes, and its tile where it goes by Winograd's algorithm.
    private func work(of layer: EncoderLayer) -> (floats: Int, tile: kaption_winograd_tile?) {
        guard case .convolution(let convolution) = layer.kind,
            case .image(let height, let width, let filters) = sequence.shape(of: layer.output)
        else { return (0, nil) }
        let channels = sequence.shape(of: layer.inputs[0]).channels
        guard sequence.numbers(of: layer.inputs[0]).element == KAPTION_FLOAT32 else {
            var description = kaption_layer()
            description.operation = KAPTION_CONVOLUTION
            description.window = kaption_window(layer.window)
            description.groups = convolution.groups
            description.input = tensor(layer.inputs[0])
            description.output = tensor(layer.output)
            description.input_numbers = sequence.numbers(of: layer.inputs[0])
            return (kaption_narrow_scratch_floats(isa, &description), nil)
        }
        var window = kaption_window(layer.window)
        let tile = kaption_winograd_tile_of(&window, convolution.groups, height, width, channels, filters)
        guard tile.height > 0 else { return (0, nil) }
        return (kaption_winograd_scratch_floats(&window, tile, height, width, channels, filters), tile)
    }

    /// The value that a convolution adds, where nobody reads it later: the sum can take its place, which is in a cache.
    private func residualToOverwrite(by layer: EncoderLayer, at index: Int) -> Int? {
        guard let residual = layer.residual, case .convolution = layer.kind, !layer.inputs.contains(residual),
            sequence.numbers(of: layer.inputs[0]).element != KAPTION_FLOAT32
                || layer.isPointwise && sequence.shape(of: layer.inputs[0]).channels <= Int(KAPTION_SUM_IN_PLACE),
            sequence.numbers(of: residual).element == sequence.numbers(of: layer.output).element,
            sequence.layers.lastIndex(where: { $0.reads.contains(residual) }) == index
        else { return nil }
        // By strips, a first layer that looks around would find sums where it looks back.
        if let group = strips.groups.values.first(where: { $0.layers.contains(index) }) {
            let first = sequence.layers[group.layers.lowerBound]
            guard first.isPointwise || !first.reads.contains(residual) else { return nil }
        }
        return residual
    }

    private func tensor(_ value: Int) -> kaption_tensor {
        var tensor = kaption_tensor()
        (tensor.height, tensor.width, tensor.channels) = (1, 1, sequence.shape(of: value).channels)
        if case .image(let height, let width, _) = sequence.shape(of: value) {
            (tensor.height, tensor.width) = (height, width)
        }
        return tensor
    }

    /// The view of `value` that layers read and write.
    func view(_ value: Int) -> kaption_view {
        let shape = sequence.shape(of: value)
        var view = kaption_view()
        (view.height, view.width, view.channels) = (1, 1, shape.channels)
        view.numbers = sequence.numbers(of: value)
        if case .image(let height, let width, _) = shape { (view.height, view.width) = (height, width) }
        if value == 0 {
            view.space = KAPTION_SPACE_INPUT
            view.stride = Encoder.inputPixelStride
        } else if let offset = rowOffsets[value] {
            view.space = KAPTION_SPACE_ROWS
            view.offset = offset
            view.stride = roundedUp(shape.count)
            view.row_stride = view.stride
        } else if let slice = slices[value] {
            let buffer = buffers[slice.buffer]
            view.space = KAPTION_SPACE_ARENA
            view.offset = buffer.offset
            view.channel = slice.channel
            view.stride = buffer.stride
            view.ring = strips.rings[value] ?? 0
        }
        return view
    }

    private func isPlaced(_ value: Int) -> Bool { slices[value] != nil || rowOffsets[value] != nil }

    /// What is made or read after the cut, and the output, lies in the rows of the micro-batch.
    private mutating func placeRows(_ layers: [EncoderLayer], _ output: Int) {
        var values = [output]
        for layer in layers[cut...] { values += layer.reads + [layer.output] }
        for value in values where rowOffsets[value] == nil {
            rowOffsets[value] = rowSize
            rowSize += roundedUp(sequence.shape(of: value).count)
        }
    }

    private mutating func placeParts(of layer: EncoderLayer, at index: Int) {
        var channels: [Int] = [0]
        for input in layer.inputs { channels.append(channels.last! + sequence.shape(of: input).channels) }
        let inRows = rowOffsets[layer.output] != nil
        if !inRows, slices[layer.output] == nil {
            if let whole = sharedSlice(layer.inputs, channels) {
                slices[layer.output] = whole
            } else {
                makeBuffer(for: layer.output)
            }
        }
        for (input, channel) in zip(layer.inputs, channels) {
            if let host = slices[layer.output] {
                let wanted = Slice(buffer: host.buffer, channel: host.channel + channel)
                if input != 0, !isPlaced(input) { slices[input] = wanted }
                if let slice = slices[input], slice.buffer == wanted.buffer, slice.channel == wanted.channel {
                    continue
                }
            }
            copies[index, default: []].append((input, channel))
        }
    }

    /// The slice that `parts` already make up together, if they lie side by side in one buffer.
    private func sharedSlice(_ parts: [Int], _ channels: [Int]) -> Slice? {
        guard let first = slices[parts[0]] else { return nil }
        let together = zip(parts, channels).allSatisfy { part, channel in
            slices[part].map { $0.buffer == first.buffer && $0.channel == first.channel + channel } ?? false
        }
        return together ? first : nil
    }

    private mutating func makeBuffer(for value: Int) {
        let shape = sequence.shape(of: value)
        let stride = sequence.isImage(value) ? Encoder.inputPixelStride : roundedUp(shape.channels)
        let bytes = kaption_element_bytes(sequence.numbers(of: value).element)
        slices[value] = Slice(buffer: buffers.count, channel: 0)
        var pixels = shape.count / shape.channels
        if let ring = strips.rings[value], case .image(let height, let width, _) = shape {
            pixels = min(ring, height) * width
        }
        buffers.append(Buffer(stride: stride, pixels: pixels, elementBytes: bytes))
    }

    private mutating func placeArena(_ layers: [EncoderLayer]) throws {
        var span = 0...0
        for (index, layer) in layers.enumerated() {
            // The layers of a group run together, so that all they touch lives from the first to the last.
            if let group = strips.groups[index] {
                span = group.layers.lowerBound...group.layers.upperBound - 1
            } else if !span.contains(index) {
                span = index...index
            }
            for value in layer.reads + [layer.output] {
                guard let buffer = slices[value]?.buffer else { continue }
                let lifetime = buffers[buffer].lifetime ?? span
                buffers[buffer].lifetime =
                    min(lifetime.lowerBound, span.lowerBound)...max(lifetime.upperBound, span.upperBound)
            }
        }
        var memory = buffers.map {
            ArenaLayout.Buffer(
                size: roundedUp(($0.stride * $0.pixels * $0.elementBytes + 3) / 4), lifetime: $0.lifetime ?? 0...0)
        }
        var works: [Int] = []
        for (index, layer) in layers.prefix(cut).enumerated() {
            let work = work(of: layer)
            guard work.floats > 0 else { continue }
            winograd[layer.output] = work.tile
            works.append(layer.output)
            memory.append(.init(size: roundedUp(work.floats), lifetime: index...index))
        }
        let layout = ArenaLayout(memory)
        for index in buffers.indices { buffers[index].offset = layout.offsets[index] }
        for (value, offset) in zip(works, layout.offsets[buffers.count...]) { scratch[value] = offset }
        arenaSize = layout.size + Self.slack
        guard arenaSize <= Graph.Limits.memory, rowSize <= Graph.Limits.memory else {
            throw ModelError("the graph's values take more than \(Graph.Limits.memory) floats")
        }
    }
}
