import COpenBLAS
import Kernels
import Testing

/// The packed product against OpenBLAS, and the promise that a row's bits do not depend on the rows beside it.
@Suite struct ProductTests {
    static let shapes: [(m: Int, n: Int, k: Int)] = [
        (1, 1, 1), (1, 16, 7), (2, 17, 64), (3, 100, 129), (5, 48, 200), (7, 49, 192), (8, 64, 193), (9, 65, 5),
        (13, 130, 33),
        (16, 80, 512), (23, 333, 77), (30, 512, 512), (129, 47, 40), (200, 96, 400), (4, 50, 600), (24, 33, 1_030),
        (49, 20, 515),
    ]

    private func multiply(
        _ isa: kaption_isa, _ shape: (m: Int, n: Int, k: Int), _ a: [Float], _ w: [Float], _ bias: [Float]?,
        accumulateOnto c: [Float]? = nil
    ) -> [Float] {
        let packed = Memory([Float](repeating: .nan, count: kaption_gemm_packed_bytes(isa, shape.n, shape.k) / 4))
        kaption_gemm_pack(isa, shape.n, shape.k, w, shape.k, packed.base)
        var result = c ?? [Float](repeating: .nan, count: shape.m * shape.n)
        let accumulate: Int32 = c == nil ? 0 : 1
        kaption_gemm(
            isa, shape.m, shape.n, shape.k, a, shape.k, packed.base, bias, accumulate, &result, shape.n)
        return result
    }

    @Test(arguments: shapes.indices) func agreesWithOpenBLAS(index: Int) {
        let shape = Self.shapes[index]
        var random = RandomFloats(seed: UInt64(index))
        let a = random.floats(shape.m * shape.k)
        let w = random.floats(shape.n * shape.k)
        let bias = random.floats(shape.n)
        let start = random.floats(shape.m * shape.n)
        for accumulates in [false, true] {
            var expected = accumulates ? start : [Float](repeating: 0, count: shape.m * shape.n)
            cblas_sgemm(
                CblasRowMajor, CblasNoTrans, CblasTrans, numericCast(shape.m), numericCast(shape.n),
                numericCast(shape.k), 1,
                a, numericCast(shape.k), w, numericCast(shape.k), 1, &expected, numericCast(shape.n))
            for index in expected.indices { expected[index] += bias[index % shape.n] }
            for isa in [KAPTION_ISA_PLAIN] + vectorTables {
                let result = multiply(isa, shape, a, w, bias, accumulateOnto: accumulates ? start : nil)
                let worst = zip(result, expected).map { abs($0 - $1) }.max() ?? .nan
                #expect(worst <= 2e-6 * Float(shape.k).squareRoot() + 1e-6, "\(isa.rawValue) \(shape)")
            }
        }
    }

    @Test(arguments: shapes.indices) func bitsOfARowStandAlone(index: Int) {
        let shape = Self.shapes[index]
        var random = RandomFloats(seed: UInt64(index))
        let a = random.floats(shape.m * shape.k)
        let w = random.floats(shape.n * shape.k)
        for isa in [KAPTION_ISA_PLAIN] + vectorTables {
            let whole = multiply(isa, shape, a, w, nil)
            let firsts = [0, shape.m / 3, shape.m - 1]
            for first in firsts {
                for count in [1, 2, 3, 6, 11] where first + count <= shape.m {
                    let rows = Array(a[first * shape.k..<(first + count) * shape.k])
                    let part = multiply(isa, (count, shape.n, shape.k), rows, w, nil)
                    #expect(
                        part == Array(whole[first * shape.n..<(first + count) * shape.n]), "\(shape) \(first) \(count)")
                }
            }
        }
    }

    /// All tables sum in the same order with FMA, so they agree to the bit.
    @Test(arguments: shapes.indices) func tablesAgree(index: Int) {
        let shape = Self.shapes[index]
        var random = RandomFloats(seed: UInt64(index))
        let a = random.floats(shape.m * shape.k)
        let w = random.floats(shape.n * shape.k)
        let bias = random.floats(shape.n)
        let expected = multiply(KAPTION_ISA_PLAIN, shape, a, w, bias)
        for isa in vectorTables { #expect(multiply(isa, shape, a, w, bias) == expected) }
    }
}
