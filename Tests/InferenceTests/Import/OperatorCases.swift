import Foundation
import TestSupport

@testable import Inference

/// The graphs of `Tests/Parity/operator_cases.py`, with what ONNX Runtime makes of them.
struct OperatorCases: Decodable {
    struct Case: Decodable {
        /// The ONNX file.
        var model: Data
        var output: Data
        var features: Int
    }

    var batch: Int
    var height: Int
    var width: Int
    /// `[batch, 3, height, width]`
    var image: Data
    var cases: [String: Case]

    static let all: OperatorCases = {
        let file = SharedFiles.packageRoot.appendingPathComponent("Tests/Parity/operator_cases.json")
        do {
            return try JSONDecoder().decode(OperatorCases.self, from: Data(contentsOf: file))
        } catch {
            fatalError("\(file.path): \(error)")
        }
    }()

    static var names: [String] { all.cases.keys.sorted() }
}

extension Data {
    /// Little-endian 32-bit floats.
    var floats: [Float] {
        withUnsafeBytes { raw in
            (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
        }
    }
}

/// Runs an encoder over images in ONNX's order, `[batch, channels, height, width]`, in one micro-batch.
func encode(_ images: [Float], batch: Int, graph: Graph, weights: [String: WeightTensor]) throws -> [Float] {
    let encoder = try Encoder(graph: graph, weights: { try weights[$0].orThrow("no weight \($0)") })
    let workspace = encoder.makeWorkspace(maximumBatch: batch)
    let pixels = encoder.inputHeight * encoder.inputWidth
    for image in 0..<batch {
        for channel in 0..<3 {
            for pixel in 0..<pixels {
                workspace.input[pixel * Encoder.inputPixelStride + channel] =
                    images[(image * 3 + channel) * pixels + pixel]
            }
        }
        workspace.encode(row: image)
    }
    workspace.finish(rows: batch)
    return (0..<batch).flatMap {
        Array(UnsafeBufferPointer(start: workspace.features(row: $0), count: encoder.featureSize))
    }
}

/// max|a − b| ÷ max|b|
func relativeDifference(_ a: [Float], _ b: [Float]) -> Float {
    guard a.count == b.count else { return .infinity }
    var difference: Float = 0
    for (x, y) in zip(a, b) {
        guard x.isFinite else { return .infinity }
        difference = max(difference, abs(x - y))
    }
    return difference / (b.map(abs).max() ?? 1)
}

extension Optional {
    func orThrow(_ message: String) throws -> Wrapped {
        guard let self else { throw ModelError(message) }
        return self
    }
}
