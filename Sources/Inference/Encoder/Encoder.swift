import Kernels

/// A graph made ready to run: its plan and its packed weights, shared by all threads.
public final class Encoder: Sendable {
    /// Floats from one pixel of the input image to the next.
    public static let inputPixelStride = 4

    public let inputHeight: Int
    public let inputWidth: Int
    public let inputChannels: Int
    /// Floats of an image's feature.
    public let featureSize: Int

    let plan: EncoderPlan

    /// Checks `graph` against its weights and packs them.
    ///
    /// - Parameter quantisation: the numbers of the graph's values, for `int8`.
    /// - Throws: `ModelError` where the graph is malformed, asks for too much, a weight's shape does not fit or the quantisation
    ///   is not the graph's, and what `weights` throws.
    public convenience init(
        graph: Graph, weights: (String) throws -> WeightTensor, instructionSet: InstructionSet = .best,
        precision: ModelManifest.Precision.Kind = .fp32, quantisation: Quantisation? = nil
    ) throws {
        try self.init(
            graph: graph, weights: weights, instructionSet: instructionSet, precision: precision,
            quantisation: quantisation, inStrips: true)
    }

    /// - Parameter inStrips: false where every value is to be seen whole once its layer has run.
    init(
        graph: Graph, weights: (String) throws -> WeightTensor, instructionSet: InstructionSet = .best,
        precision: ModelManifest.Precision.Kind = .fp32, quantisation: Quantisation? = nil, inStrips: Bool
    ) throws {
        plan = try EncoderPlan(
            graph, weights: weights, instructionSet: instructionSet, precision: precision, quantisation: quantisation,
            inStrips: inStrips)
        guard case .image(let height, let width, let channels) = graph.input else {
            throw ModelError("the graph's input is not an image")
        }
        (inputHeight, inputWidth, inputChannels) = (height, width, channels)
        featureSize = plan.feature.channels
    }

    /// Memory for one thread, for micro-batches of up to `maximumBatch` images.
    public func makeWorkspace(maximumBatch: Int) -> EncoderWorkspace {
        EncoderWorkspace(encoder: self, maximumBatch: maximumBatch)
    }
}
