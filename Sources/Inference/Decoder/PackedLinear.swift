import Kernels

/// y = W·x + b over rows, W packed once for an instruction set and a precision. The bits of a row do not depend on the others.
struct PackedLinear: Sendable {
    let inputs: Int
    let outputs: Int
    private let isa: kaption_isa
    /// What the products' operands are written in.
    private let element: kaption_element
    private let weight: FloatBuffer
    private let bias: FloatBuffer?

    /// - Parameters:
    ///   - weight: `[outputs, inputs]`, row major.
    ///   - bias: `[outputs]`, or nil for none.
    /// - Throws: `ModelError` where a number is not finite and the precision needs it to be.
    init(
        weight: WeightTensor, bias: [Float]?, isa: kaption_isa, precision: ModelManifest.Precision.Kind = .fp32
    ) throws {
        outputs = weight.shape[0]
        inputs = weight.shape[1]
        self.isa = isa
        element = kaption_element(precision)
        guard element == KAPTION_FLOAT32 else {
            guard inputs <= Int(KAPTION_UINT8_SUM_LIMIT) else {
                throw ModelError("decoder: \(inputs) inputs are more than \(precision.rawValue) takes")
            }
            self.weight = FloatBuffer(count: kaption_narrow_gemm_packed_floats(isa, element, outputs, inputs))
            self.bias = nil
            guard kaption_narrow_gemm_pack(isa, element, outputs, inputs, weight.values, bias, self.weight.base) != 0
            else { throw ModelError("decoder: a weight is not finite") }
            return
        }
        let bytes = kaption_gemm_packed_bytes(isa, outputs, inputs)
        self.weight = FloatBuffer(count: bytes / MemoryLayout<Float>.stride)
        self.bias = bias.map(FloatBuffer.init)
        kaption_gemm_pack(isa, outputs, inputs, weight.values, inputs, self.weight.base)
    }

    /// Strides count floats from one row to the next.
    ///
    /// - Parameter narrow: room for the rows in the precision's numbers.
    func apply(
        rows: Int, from input: UnsafePointer<Float>, stride inputStride: Int,
        to output: UnsafeMutablePointer<Float>, stride outputStride: Int, narrow: NarrowRows? = nil
    ) {
        guard rows > 0 else { return }
        guard element == KAPTION_FLOAT32 else {
            guard let narrow else { preconditionFailure("a narrow product needs room for its rows") }
            kaption_narrow_rows(isa, element, rows, inputs, input, inputStride, narrow.rows.base, narrow.scales.base)
            kaption_narrow_gemm(
                isa, element, rows, outputs, inputs, narrow.rows.base, narrow.scales.base, weight.base, output,
                outputStride)
            return
        }
        kaption_gemm(
            isa, rows, outputs, inputs, input, inputStride, weight.base, bias?.base, 0, output, outputStride)
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
