import Synchronization
import TestSupport
import Testing

@testable import Training

@Suite("Work split over threads")
struct ThreadTeamTests {
    @Test(arguments: [(0, 4), (1, 4), (31, 8), (32, 8), (33, 8), (1000, 64), (7, 100)])
    func rangesMakeUpTheWhole(count: Int, grain: Int) {
        for threads in [1, 2, 3, 8] {
            let ranges = Mutex<[Range<Int>]>([])
            ThreadTeam(threads: threads).split(count, grain: grain) { range in ranges.withLock { $0.append(range) } }
            let sorted = ranges.withLock { $0.sorted { $0.lowerBound < $1.lowerBound } }
            #expect(sorted.flatMap { Array($0) } == Array(0..<count))
            #expect(sorted.count <= threads && sorted.allSatisfy { $0.lowerBound % grain == 0 && !$0.isEmpty })
            #expect(sorted.dropLast().allSatisfy { $0.count >= grain })
        }
    }

    /// Against the sums as the formula says them, for every way that the matrices may lie; large enough that three threads share them.
    @Test(arguments: [(150, 97, 80), (61, 300, 64), (1, 5, 3)])
    func products(m: Int, n: Int, k: Int) {
        var random = SeededGenerator(7)
        let a = (0..<m * k).map { _ in Float.random(in: -1...1, using: &random) }
        let b = (0..<k * n).map { _ in Float.random(in: -1...1, using: &random) }
        for (transposedA, transposedB, accumulates) in [
            (false, true, false), (true, false, true), (false, false, true),
        ] {
            var found = [Float](repeating: 2, count: m * n)
            MatrixProduct(team: ThreadTeam(threads: 3)).multiply(
                m, n, k, a, transposedA: transposedA, b, transposedB: transposedB, accumulates: accumulates, to: &found)
            var expected = [Double](repeating: accumulates ? 2 : 0, count: m * n)
            for row in 0..<m {
                for column in 0..<n {
                    for inner in 0..<k {
                        let left = a[transposedA ? inner * m + row : row * k + inner]
                        let right = b[transposedB ? column * k + inner : inner * n + column]
                        expected[row * n + column] += Double(left) * Double(right)
                    }
                }
            }
            #expect(relativeError(found, expected) < 1e-5)
        }
    }

    /// The pass over many captions of different lengths is the same function on any number of threads, and so is Adam.
    @Test func gradientsAndAdam() {
        var model = TinyModel()
        var random = SeededGenerator(9)
        model.captions = (0..<90).map { number in
            BatchCaption(
                image: number % 4, copy: number % 2,
                words: (0..<(1 + number * 5 % 11)).map { _ in Int32.random(in: 3..<19, using: &random) },
                weight: Float.random(in: -1...1, using: &random))
        }
        let noise = DropoutNoise(share: 0.3, seed: 1, step: 2)
        let (loss, gradients) = model.pass(dropout: noise)
        let (otherLoss, otherGradients) = model.pass(dropout: noise, threads: 3)
        #expect(abs(loss.sum - otherLoss.sum) < 1e-6 * loss.sum && loss.targets == otherLoss.targets)
        for tensor in DecoderTensor.allCases {
            #expect(relativeError(values(otherGradients, tensor), values(gradients, tensor).map(Double.init)) < 1e-5)
        }

        let shape = DecoderShape(feature: 40, embedding: 64, hidden: 64, words: 2_100)
        let weights = (0..<2).map { _ in DecoderParameters(shape: shape) }
        let steep = DecoderParameters(shape: shape)
        for index in 0..<steep.count { steep.base[index] = Float.random(in: -1...1, using: &random) }
        let norms = zip(weights, [1, 3]).map { weights, threads in
            Adam(shape: shape, threads: threads).update(weights, gradients: steep, rate: 0.1, largestNorm: 5)
        }
        #expect(steep.count > 3 << 16 && norms[0] == norms[1])
        #expect(DecoderTensor.allCases.allSatisfy { values(weights[0], $0) == values(weights[1], $0) })
    }

    @Test func samples() {
        let model = TinyModel()
        let samples = [1, 3].map { threads in
            let sampler = CaptionSampler(shape: model.shape, threads: threads)
            sampler.prepare(model.weights)
            return sampler.sample(
                [(0, 0), (1, 1)], streams: (0..<80).map { RandomStream(seed: UInt64($0), .samples) }, tokens: .init(),
                most: 12, weights: model.weights, table: model.features)
        }
        #expect(samples[0] == samples[1])
    }
}
