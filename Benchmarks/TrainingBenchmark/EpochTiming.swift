import COpenBLAS
import CommandLineOptions
import Foundation
import Training

/// One epoch of cross-entropy over given batches, with dropout, label smoothing, clipping and Adam, and between the batches the rate of
/// OpenBLAS's own products, so that both see the same machine.
enum EpochTiming {
    struct Line: Encodable {
        var peer = "Kaption"
        var threads: Int
        var coreType: String
        var words: Int
        var seconds: Double
        var wordsPerSecond: Double
        var peakMib: Int
        /// Multiply-adds of the formulas, counted twice, without what sharing words saves.
        var nominalGflops: Double
        var sgemmGflops: Double
        var share: Double
    }

    static func run(_ options: ParsedOptions) throws {
        let (sizes, features, captions, groups) = try PeerData.read(options[Program.data])
        let threads = options[Program.threads]
        let shape = DecoderShape(feature: sizes.features, embedding: 512, hidden: 512, words: sizes.words)
        let (weights, gradients) = (DecoderParameters(shape: shape), DecoderParameters(shape: shape))
        weights.initialise(seed: 1)
        let pass = DecoderPass(shape: shape, threads: threads)
        let adam = Adam(shape: shape, threads: threads)
        let chosen = Array(groups.prefix(options[Program.batches] ?? groups.count))
        var batch = CaptionBatch()
        var words = 0
        func step(_ number: Int, _ group: [Int]) {
            let wanted = group.map { BatchCaption(image: captions[$0].image, words: captions[$0].words) }
            batch.pack(wanted, start: 1, end: 2)
            let targets = batch.rowCount - batch.captions.count
            _ = pass.run(
                batch, features: features, weights: weights, gradients: gradients, smoothing: 0.1,
                dropout: DropoutNoise(share: 0.5, seed: 1, step: number), scale: 1 / Float(targets))
            adam.update(weights, gradients: gradients, rate: 1e-3, largestNorm: 1)
            pass.clearEmbeddingGradients(gradients, of: batch)
            words += targets
        }
        for (number, group) in (chosen.prefix(3) + chosen.suffix(3)).enumerated() { step(number, group) }
        words = 0
        var (seconds, operations) = (0.0, 0.0)
        var product = Product(threads: threads)
        for (number, group) in chosen.enumerated() {
            if number % 20 == 0 { product.measure() }
            let start = ContinuousClock.now
            step(number, group)
            seconds += (ContinuousClock.now - start) / .seconds(1)
            operations += nominal(shape, rows: batch.rowCount, captions: group.count)
        }
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let rate = operations / seconds / 1e9
        let line = Line(
            threads: threads, coreType: ProductLibrary.coreName, words: words, seconds: seconds,
            wordsPerSecond: Double(words) / seconds, peakMib: usage.ru_maxrss / 1024, nominalGflops: rate,
            sgemmGflops: product.gigaflops, share: rate / product.gigaflops)
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys]
        print(String(decoding: try encoder.encode(line), as: UTF8.self))
    }

    /// Forward and twice as much backward: each position's input and recurrent products, the vocabulary, and the images.
    private static func nominal(_ shape: DecoderShape, rows: Int, captions: Int) -> Double {
        let gates = rows * shape.gates * (shape.embedding + shape.hidden)
        let vocabulary = (rows - captions) * shape.words * shape.hidden
        let images = captions * shape.feature * shape.embedding
        return 6 * Double(gates + vocabulary + images)
    }

    /// A large square product, on OpenBLAS's own threads.
    private struct Product {
        private static let size = 1024
        let threads: Int
        private let a = [Float](repeating: 0.5, count: size * size)
        private let b = [Float](repeating: 0.25, count: size * size)
        private var c = [Float](repeating: 0, count: size * size)
        private var seconds = 0.0
        private var products = 0

        init(threads: Int) { self.threads = threads }

        mutating func measure() {
            let size = Int32(Self.size)
            let start = ContinuousClock.now
            openblas_set_num_threads(Int32(threads))
            defer { openblas_set_num_threads(1) }
            for _ in 0..<2 {
                cblas_sgemm(
                    CblasRowMajor, CblasNoTrans, CblasTrans, size, size, size, 1, a, size, b, size, 0, &c, size)
            }
            seconds += (ContinuousClock.now - start) / .seconds(1)
            products += 2
        }

        var gigaflops: Double {
            2 * pow(Double(Self.size), 3) * Double(products) / max(seconds, 1e-9) / 1e9
        }
    }
}
