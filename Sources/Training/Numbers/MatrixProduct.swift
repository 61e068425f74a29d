import COpenBLAS

/// Products of row-major matrices by OpenBLAS, split over a team's threads: each computes rows or columns of the result by itself.
/// OpenBLAS's own threads have no part in it.
struct MatrixProduct {
    /// Rows or columns that are worth a thread, and multiply-adds below which none is woken.
    private static let (grain, leastWork) = (32, 1 << 20)

    let team: ThreadTeam

    init(team: ThreadTeam) {
        self.team = team
        openblas_set_num_threads(1)
    }

    /// C[m×n] = A[m×k] · B[k×n], or with A or B transposed in memory (A [k×m], B [n×k]); added to C if `accumulates`. Rows
    /// lie one behind the other. For one number of threads and core type the bits are always the same.
    func multiply(
        _ m: Int, _ n: Int, _ k: Int, _ a: UnsafePointer<Float>, transposedA: Bool = false, _ b: UnsafePointer<Float>,
        transposedB: Bool = false, accumulates: Bool = false, to c: UnsafeMutablePointer<Float>
    ) {
        guard m > 0, n > 0, k > 0 else { return }
        func multiply(rows: Range<Int>, columns: Range<Int>) {
            cblas_sgemm(
                CblasRowMajor, transposedA ? CblasTrans : CblasNoTrans, transposedB ? CblasTrans : CblasNoTrans,
                Int32(rows.count), Int32(columns.count), Int32(k), 1,
                a + rows.lowerBound * (transposedA ? 1 : k), Int32(transposedA ? m : k),
                b + columns.lowerBound * (transposedB ? k : 1), Int32(transposedB ? k : n), accumulates ? 1 : 0,
                c + rows.lowerBound * n + columns.lowerBound, Int32(n))
        }
        // Every thread packs all of the matrix that is not split, so the larger one is.
        let grain = m * n * k < Self.leastWork ? max(m, n) : Self.grain
        if m >= n {
            team.split(m, grain: grain) { multiply(rows: $0, columns: 0..<n) }
        } else {
            team.split(n, grain: grain) { multiply(rows: 0..<m, columns: $0) }
        }
    }

    /// sums[j] += Σ over rows of matrix[row][j].
    func addColumnSums(rows: Int, columns: Int, _ matrix: UnsafePointer<Float>, to sums: UnsafeMutablePointer<Float>) {
        let grain = rows * columns < Self.leastWork ? max(columns, 1) : Self.grain
        team.split(columns, grain: grain) { part in
            for row in 0..<rows {
                Self.add(part.count, matrix + row * columns + part.lowerBound, to: sums + part.lowerBound)
            }
        }
    }

    /// to[i] += from[i].
    static func add(_ count: Int, _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>) {
        cblas_saxpy(Int32(count), 1, from, 1, to, 1)
    }
}
