import COpenBLAS
import Dispatch
import Inference
import Kernels

/// A product with the same matrix step after step, over few rows: packed once a batch, where OpenBLAS would pack it anew each time. The bits
/// of a row do not depend on the others, nor on the number of threads.
final class RecurrentProduct {
    /// Rows that are worth a thread.
    private static let rowsOfThread = 16

    private let isa: kaption_isa
    private let threads: Int
    private let outputs: Int
    private let inputs: Int
    private let packed: FloatBuffer
    private let transposed: FloatBuffer?

    /// - Parameter transposes: whether the matrix lies as `[inputs, outputs]` in memory, not as `[outputs, inputs]`.
    init(outputs: Int, inputs: Int, transposes: Bool, threads: Int, isa: kaption_isa) {
        self.isa = isa
        self.threads = threads
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

    /// to[rows × outputs] = from[rows × inputs] · matrixᵀ.
    func apply(rows: Int, from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>) {
        let parts = max(1, min(threads, rows / Self.rowsOfThread))
        guard parts > 1 else { return apply(0..<rows, from, to) }
        let task = Task(product: self, from: from, to: to)
        DispatchQueue.concurrentPerform(iterations: parts) { part in
            let mode = kaption_flush_denormals()
            defer { kaption_restore_denormals(mode) }
            task.product.apply(rows * part / parts..<rows * (part + 1) / parts, task.from, task.to)
        }
    }

    private func apply(_ rows: Range<Int>, _ from: UnsafePointer<Float>, _ to: UnsafeMutablePointer<Float>) {
        guard !rows.isEmpty else { return }
        kaption_gemm(
            isa, rows.count, outputs, inputs, from + rows.lowerBound * inputs, inputs, packed.base, nil, 0,
            to + rows.lowerBound * outputs, outputs)
    }

    /// Unchecked because of the pointers: each thread writes rows of its own, and the caller waits for all.
    private struct Task: @unchecked Sendable {
        let product: RecurrentProduct
        let from: UnsafePointer<Float>
        let to: UnsafeMutablePointer<Float>
    }
}
