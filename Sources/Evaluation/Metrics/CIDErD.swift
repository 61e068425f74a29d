import Foundation

/// CIDEr-D (Vedantam, Zitnick and Parikh, "CIDEr: Consensus-based Image Description Evaluation", 2015), n = 1...4,
/// σ = 6, as coco-caption computes it: ten times the mean similarity of a caption and its references, as vectors of
/// n-grams weighted by how rare they are. 0...10.
public struct CIDErD: Sendable {
    public static let sigma = 6.0

    private var table = NGramTable()
    /// In how many images' references an n-gram occurs.
    private var imagesWith: [Int32: Int] = [:]
    private var logImages = 0.0

    /// Takes the document frequencies from references.
    ///
    /// - Parameter documents: each image's references as words. Of one image alone every score is 0, as nothing is rare.
    public init(documents: [[[String]]]) {
        for references in documents {
            var present: Set<Int32> = []
            for reference in references {
                for counts in table.counts(reference).byOrder { present.formUnion(counts.keys) }
            }
            for number in present { imagesWith[number, default: 0] += 1 }
        }
        logImages = log(Double(max(documents.count, 1)))
    }

    /// The scores of images, in their order.
    public func scores(_ images: [CaptionedImage]) -> [Double] {
        var table = table
        return images.map { image in
            let hypothesis = vector(table.counts(image.hypothesis))
            let sum = image.references.reduce(0.0) { $0 + similarity(hypothesis, vector(table.counts($1))) }
            return 10 * sum / Double(image.references.count)
        }
    }

    /// Term frequency times inverse document frequency, for each length of n-gram.
    private struct Vector {
        var weights: [[Int32: Double]]
        var norms: [Double]
        /// In 2-grams, as coco-caption measures it.
        var length: Int
    }

    private func vector(_ counts: NGramTable.Counts) -> Vector {
        var vector = Vector(weights: [], norms: [], length: max(0, counts.words - 1))
        for order in counts.byOrder {
            var squares = 0.0
            let weights = Dictionary(
                uniqueKeysWithValues: order.map { number, count in
                    (number, Double(count) * (logImages - log(Double(max(1, imagesWith[number] ?? 0)))))
                })
            // In the order of the numbers, so that a sum has the same bits in every run.
            for number in weights.keys.sorted() {
                let weight = weights[number] ?? 0
                squares += weight * weight
            }
            vector.weights.append(weights)
            vector.norms.append(squares.squareRoot())
        }
        return vector
    }

    /// The mean over n of the clipped cosines, with the penalty for another length.
    private func similarity(_ hypothesis: Vector, _ reference: Vector) -> Double {
        let delta = Double(hypothesis.length - reference.length)
        let penalty = exp(-delta * delta / (2 * Self.sigma * Self.sigma))
        var sum = 0.0
        for order in 0..<NGramTable.orders {
            let norms = hypothesis.norms[order] * reference.norms[order]
            guard norms != 0 else { continue }
            var product = 0.0
            for number in hypothesis.weights[order].keys.sorted() {
                guard let weight = reference.weights[order][number] else { continue }
                product += min(hypothesis.weights[order][number] ?? 0, weight) * weight
            }
            sum += product / norms
        }
        return sum * penalty / Double(NGramTable.orders)
    }
}
