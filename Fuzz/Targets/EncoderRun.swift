@testable import Inference

/// What an execution may take is a few milliseconds.
func isSmall(_ graph: Graph) -> Bool {
    guard graph.nodes.reduce(graph.input.count, { $0 + $1.shape.count }) <= 1 << 16 else { return false }
    var work = 0
    for node in graph.nodes {
        let channels = graph.shape(ofValue: node.inputs[0]).channels
        switch node.operation {
        case .convolution(_, _, let window, _): work += node.shape.count * window.taps * channels
        case .maxPool(let window), .averagePool(let window, _): work += node.shape.count * window.taps
        case .dense: work += node.shape.count * channels
        default: work += node.shape.count
        }
        guard work <= 1 << 21 else { return false }
    }
    return true
}

/// Two images of a micro-batch.
func run(_ encoder: Encoder) {
    let workspace = encoder.makeWorkspace(maximumBatch: 2)
    for row in 0..<2 {
        for index in 0..<encoder.inputHeight * encoder.inputWidth * Encoder.inputPixelStride {
            workspace.input[index] = Float(index % 7) - 3
        }
        workspace.encode(row: row)
    }
    workspace.finish(rows: 2)
    let features = UnsafeBufferPointer(start: workspace.features(row: 1), count: encoder.featureSize)
    guard features.count == encoder.featureSize else { fatalError("no features") }
}
