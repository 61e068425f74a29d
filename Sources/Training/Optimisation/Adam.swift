import Foundation
import Inference
import Kernels

/// Adam (Kingma and Ba, 2015) with the gradient's norm clipped before (Pascanu et al., 2013).
public final class Adam {
    public static let (beta1, beta2, epsilon) = (0.9, 0.999, 1e-8)

    public let mean: DecoderParameters
    public let variance: DecoderParameters
    /// Steps done.
    public var steps = 0
    private let isa: kaption_isa
    private let team: ThreadTeam
    /// Σ x² of each block.
    private var squares: [Double]
    private static let block = 1 << 16

    public init(shape: DecoderShape, threads: Int = 1, instructionSet: InstructionSet = .best) {
        team = ThreadTeam(threads: threads)
        mean = DecoderParameters(shape: shape)
        variance = DecoderParameters(shape: shape)
        squares = Array(repeating: 0, count: (mean.count + Self.block - 1) / Self.block)
        isa = instructionSet.isa
    }

    /// Moves `weights` against the gradient.
    ///
    /// - Parameters:
    ///   - largestNorm: a longer gradient is shortened to it.
    ///   - frozenEmbedding: whether the embedding stays as it is; its gradient then does not count in the norm.
    /// - Returns: the gradient's norm before clipping. Where it is not finite, nothing is moved.
    @discardableResult
    public func update(
        _ weights: DecoderParameters, gradients: DecoderParameters, rate: Double, largestNorm: Double,
        frozenEmbedding: Bool = false
    ) -> Double {
        let count = frozenEmbedding ? weights.offset(.embedding) : weights.count
        let norm = self.norm(gradients.base, count)
        guard norm.isFinite else { return norm }
        steps += 1
        let step = kaption_adam_step(
            gradient_scale: Float(min(largestNorm / (norm + 1e-6), 1)), beta1: Float(Self.beta1),
            beta2: Float(Self.beta2), epsilon: Float(Self.epsilon),
            rate: Float(rate / (1 - pow(Self.beta1, Double(steps)))),
            inverse_variance: Float(1 / (1 - pow(Self.beta2, Double(steps))).squareRoot()))
        team.split(count, grain: Self.block) { part in
            var step = step
            let at = part.lowerBound
            kaption_adam(
                isa, part.count, &step, gradients.base + at, mean.base + at, variance.base + at, weights.base + at)
        }
        return norm
    }

    private func norm(_ values: UnsafePointer<Float>, _ count: Int) -> Double {
        let blocks = (count + Self.block - 1) / Self.block
        squares.withUnsafeMutableBufferPointer { squares in
            team.split(blocks, grain: 1) { part in
                for block in part {
                    let at = block * Self.block
                    squares[block] = kaption_sum_of_squares(isa, min(Self.block, count - at), values + at)
                }
            }
        }
        return squares[..<blocks].reduce(0, +).squareRoot()
    }
}
