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
    /// The convolutions that go by Winograd's algorithm, by the value that they make: outputs of a tile's side, and where in the arena
    /// their scratch memory begins.
    private(set) var winograd: [Int: (outputs: Int, scratch: Int)] = [:]

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
    private var slices: [Int: Slice] = [:]
    private var buffers: [Buffer] = []
    private var rowOffsets: [Int: Int] = [:]

    /// - Parameter inStrips: whether chains of layers may keep only some rows of the values between them.
    init(_ sequence: LayerSequence, inStrips: Bool) throws {
        self.sequence = sequence
        let layers = sequence.layers
        let isFlat = { (value: Int) in !sequence.isImage(value) && sequence.shape(of: value).isFlat }
        cut =
            (layers.lastIndex { !($0.isPointwise && isFlat($0.output) && $0.reads.allSatisfy(isFlat)) })
            .map { $0 + 1 } ?? 0
        // Rings hold floats.
        strips = StripGroups(
            layers, cut: inStrips && !sequence.isNarrow ? cut : 0, output: sequence.output, shape: sequence.shape)
        placeRows(layers, sequence.output)
        for (index, layer) in layers.enumerated().reversed() {
            if case .concatenate = layer.kind { placeParts(of: layer, at: index) }
        }
        for layer in layers.prefix(cut) where !isPlaced(layer.output) { makeBuffer(for: layer.output) }
        try placeArena(layers)
    }

    /// Outputs of a tile's side where a layer goes by Winograd's algorithm, and the floats of scratch memory that it takes.
    private func winogradTile(_ layer: EncoderLayer) -> (outputs: Int, floats: Int)? {
        guard case .convolution(let convolution) = layer.kind,
            sequence.numbers(of: layer.inputs[0]).element == KAPTION_FLOAT32,
            case .image(let height, let width, let filters) = sequence.shape(of: layer.output)
        else { return nil }
        var window = kaption_window(layer.window)
        let channels = sequence.shape(of: layer.inputs[0]).channels
        let outputs = kaption_winograd_outputs(&window, convolution.groups, height, width, channels, filters)
        guard outputs > 0 else { return nil }
        return (outputs, kaption_winograd_scratch_floats(outputs, height, width, channels, filters))
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
        var tiles: [(value: Int, outputs: Int)] = []
        for (index, layer) in layers.prefix(cut).enumerated() {
            guard let tile = winogradTile(layer) else { continue }
            tiles.append((layer.output, tile.outputs))
            memory.append(.init(size: roundedUp(tile.floats), lifetime: index...index))
        }
        let layout = ArenaLayout(memory)
        for index in buffers.indices { buffers[index].offset = layout.offsets[index] }
        for (tile, offset) in zip(tiles, layout.offsets[buffers.count...]) {
            winograd[tile.value] = (tile.outputs, offset)
        }
        arenaSize = layout.size + Self.slack
        guard arenaSize <= Graph.Limits.memory, rowSize <= Graph.Limits.memory else {
            throw ModelError("the graph's values take more than \(Graph.Limits.memory) floats")
        }
    }
}
