import COpenBLAS

/// Products of row-major matrices by OpenBLAS.
enum MatrixProduct {
    /// How many threads the products use from now on, in the whole process.
    static func use(threads: Int) { openblas_set_num_threads(Int32(threads)) }

    /// C[m×n] = A[m×k] · B[k×n], or with A or B transposed in memory (A [k×m], B [n×k]); added to C if `accumulates`. Rows
    /// lie one behind the other. For one number of threads and core type the bits are always the same.
    static func multiply(
        _ m: Int, _ n: Int, _ k: Int, _ a: UnsafePointer<Float>, transposedA: Bool = false, _ b: UnsafePointer<Float>,
        transposedB: Bool = false, accumulates: Bool = false, to c: UnsafeMutablePointer<Float>
    ) {
        guard m > 0, n > 0, k > 0 else { return }
        cblas_sgemm(
            CblasRowMajor, transposedA ? CblasTrans : CblasNoTrans, transposedB ? CblasTrans : CblasNoTrans, Int32(m),
            Int32(n), Int32(k), 1, a, Int32(transposedA ? m : k), b, Int32(transposedB ? k : n),
            accumulates ? 1 : 0, c, Int32(n))
    }

    /// sums[j] += Σ over rows of matrix[row][j].
    static func addColumnSums(
        rows: Int, columns: Int, _ matrix: UnsafePointer<Float>, to sums: UnsafeMutablePointer<Float>
    ) {
        for row in 0..<rows { add(columns, matrix + row * columns, to: sums) }
    }

    /// to[i] += from[i].
    static func add(_ count: Int, _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>) {
        cblas_saxpy(Int32(count), 1, from, 1, to, 1)
    }
}
