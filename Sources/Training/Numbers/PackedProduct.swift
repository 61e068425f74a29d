import COpenBLAS
import Inference
import Kernels

/// A product with the same matrix step after step, over few rows: packed once for a state of the weights, where OpenBLAS would pack it anew each time. The bits
/// of a row do not depend on the others.
final class PackedProduct {
    private let isa: kaption_isa
    private let outputs: Int
    private let inputs: Int
    private let packed: FloatBuffer
    private let transposed: FloatBuffer?

    /// - Parameter transposes: whether the matrix lies as `[inputs, outputs]` in memory, not as `[outputs, inputs]`.
    init(outputs: Int, inputs: Int, transposes: Bool, isa: kaption_isa) {
        self.isa = isa
        self.outputs = outputs
        self.inputs = inputs
        packed = FloatBuffer(count: kaption_gemm_packed_bytes(isa, outputs, inputs) / MemoryLayout<Float>.stride)
        transposed = transposes ? FloatBuffer(count: outputs * inputs) : nil
    }

    func pack(_ matrix: UnsafePointer<Float>) {
        if let transposed {
            cblas_somatcopy(
                CblasRowMajor, CblasTrans, Int32(inputs), Int32(outputs), 1, matrix, Int32(outputs), transposed.base,
                Int32(inputs))
        }
        kaption_gemm_pack(
            isa, outputs, inputs, transposed.map { UnsafePointer($0.base) } ?? matrix, inputs, packed.base)
    }

    /// to[rows × outputs] = from[rows × inputs] · matrixᵀ. Any number of threads may call it at a time.
    func apply(rows: Int, from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>) {
        kaption_gemm(isa, rows, outputs, inputs, from, inputs, packed.base, nil, 0, to, outputs)
    }
}
