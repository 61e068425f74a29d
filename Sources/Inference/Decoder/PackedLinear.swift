import Kernels

/// y = W·x + b over rows, W packed once for an instruction set and a precision. The bits of a row do not depend on the others.
///
/// A layer of many outputs may be cut into blocks of them, so that what follows finds a block's results in a near cache. The blocks'
/// weights lie one behind the other in one piece of memory.
struct PackedLinear: Sendable {
    let inputs: Int
    /// The outputs of each block.
    let blocks: [Range<Int>]
    private let isa: kaption_isa
    /// What the products' operands are written in.
    private let element: kaption_element
    private let weight: FloatBuffer
    /// Where each block's weights begin.
    private let offsets: [Int]
    /// In floats; narrow weights have it with them.
    private let bias: FloatBuffer?

    /// - Parameters:
    ///   - weight: `[outputs, inputs]`, row major.
    ///   - bias: `[outputs]`, or nil for none.
    ///   - blockOutputs: the most outputs of a block; nil for one block.
    /// - Throws: `ModelError` where a number is not finite and the precision needs it to be.
    init(
        weight: WeightTensor, bias: [Float]?, isa: kaption_isa, precision: ModelManifest.Precision.Kind = .fp32,
        blockOutputs: Int? = nil
    ) throws {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        let element = kaption_element(precision)
        guard element == KAPTION_FLOAT32 || inputs <= Int(KAPTION_UINT8_SUM_LIMIT) else {
            throw ModelError("decoder: \(inputs) inputs are more than \(precision.rawValue) takes")
        }
        let step = blockOutputs ?? outputs
        let blocks = stride(from: 0, to: outputs, by: step).map { $0..<min($0 + step, outputs) }
        var offsets = [0]
        for block in blocks {
            let floats =
                element == KAPTION_FLOAT32
                ? kaption_gemm_packed_bytes(isa, block.count, inputs) / MemoryLayout<Float>.stride
                : kaption_narrow_gemm_packed_floats(isa, element, block.count, inputs)
            offsets.append(offsets[offsets.count - 1] + floats)
        }
        let packed = FloatBuffer(count: offsets[blocks.count])
        let isFinite = weight.values.withUnsafeBufferPointer { values in
            (bias ?? []).withUnsafeBufferPointer { bias in
                zip(blocks, offsets).allSatisfy { block, offset in
                    guard let first = values.baseAddress else { return true }
                    let rows = first + block.lowerBound * inputs
                    if element == KAPTION_FLOAT32 {
                        kaption_gemm_pack(isa, block.count, inputs, rows, inputs, packed.base + offset)
                        return true
                    }
                    let shift = bias.isEmpty ? nil : bias.baseAddress.map { $0 + block.lowerBound }
                    return kaption_narrow_gemm_pack(
                        isa, element, block.count, inputs, rows, shift, packed.base + offset) != 0
                }
            }
        }
        guard isFinite else { throw ModelError("decoder: a weight is not finite") }
        self.inputs = inputs
        self.blocks = blocks
        self.isa = isa
        self.element = element
        self.weight = packed
        self.offsets = offsets
        self.bias = element == KAPTION_FLOAT32 ? bias.map(FloatBuffer.init) : nil
    }

    /// All outputs of a layer of one block.
    ///
    /// - Parameter narrow: as for `prepare`.
    func apply(
        rows: Int, from input: UnsafePointer<Float>, stride inputStride: Int,
        to output: UnsafeMutablePointer<Float>, stride outputStride: Int, narrow: NarrowRows? = nil
    ) {
        prepare(rows: rows, from: input, stride: inputStride, narrow: narrow)
        apply(
            block: 0, rows: rows, from: input, stride: inputStride, to: output, stride: outputStride, narrow: narrow)
    }

    /// Writes rows in the precision's numbers, for one block after the other to read. Strides count floats from one row to the next.
    ///
    /// - Parameter narrow: room for them, nil in floats, which are read where they lie.
    func prepare(rows: Int, from input: UnsafePointer<Float>, stride inputStride: Int, narrow: NarrowRows?) {
        guard element != KAPTION_FLOAT32, let narrow else { return }
        kaption_narrow_rows(isa, element, rows, inputs, input, inputStride, narrow.rows.base, narrow.scales.base)
    }

    /// One block's outputs of rows that `prepare` has seen.
    func apply(
        block: Int, rows: Int, from input: UnsafePointer<Float>, stride inputStride: Int,
        to output: UnsafeMutablePointer<Float>, stride outputStride: Int, narrow: NarrowRows?
    ) {
        guard rows > 0 else { return }
        let (outputs, packed) = (blocks[block], weight.base + offsets[block])
        guard element == KAPTION_FLOAT32 else {
            guard let narrow else { preconditionFailure("a narrow product needs room for its rows") }
            kaption_narrow_gemm(
                isa, element, rows, outputs.count, inputs, narrow.rows.base, narrow.scales.base, packed, output,
                outputStride)
            return
        }
        let bias = bias.map { UnsafePointer($0.base + outputs.lowerBound) }
        kaption_gemm(
            isa, rows, outputs.count, inputs, input, inputStride, packed, bias, 0, output, outputStride)
    }
}

/// One thread's room for rows that are written in narrow numbers before a product.
struct NarrowRows {
    fileprivate let rows: FloatBuffer
    fileprivate let scales: FloatBuffer

    init(rows: Int, inputs: Int) {
        // No element is larger than a float.
        self.rows = FloatBuffer(count: rows * kaption_narrow_row_stride(inputs) + 16)
        scales = FloatBuffer(count: rows)
    }
}

extension kaption_element {
    init(_ precision: ModelManifest.Precision.Kind) {
        switch precision {
        case .fp32: self = KAPTION_FLOAT32
        case .bf16: self = KAPTION_BFLOAT16
        case .int8: self = KAPTION_UINT8
        }
    }
}
