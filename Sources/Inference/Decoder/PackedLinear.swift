import Kernels

/// y = W·x + b over rows, W packed once for an instruction set. The bits of a row do not depend on the others.
struct PackedLinear: Sendable {
    let inputs: Int
    let outputs: Int
    private let isa: kaption_isa
    private let weight: FloatBuffer
    private let bias: FloatBuffer?

    /// - Parameters:
    ///   - weight: `[outputs, inputs]`, row major.
    ///   - bias: `[outputs]`, or nil for none.
    init(weight: WeightTensor, bias: [Float]?, isa: kaption_isa) {
        outputs = weight.shape[0]
        inputs = weight.shape[1]
        self.isa = isa
        let bytes = kaption_gemm_packed_bytes(isa, outputs, inputs)
        self.weight = FloatBuffer(count: bytes / MemoryLayout<Float>.stride)
        self.bias = bias.map(FloatBuffer.init)
        kaption_gemm_pack(isa, outputs, inputs, weight.values, inputs, self.weight.base)
    }

    /// Strides count floats from one row to the next.
    func apply(
        rows: Int, from input: UnsafePointer<Float>, stride inputStride: Int,
        to output: UnsafeMutablePointer<Float>, stride outputStride: Int
    ) {
        guard rows > 0 else { return }
        kaption_gemm(
            isa, rows, outputs, inputs, input, inputStride, weight.base, bias?.base, 0, output, outputStride)
    }
}
