import Foundation
import TestSupport
import Testing

@testable import Inference

/// The real models beside the checkout.
@Suite(.enabled(if: SharedFiles.isPresent, "the folder shared/ is not here"))
struct RealModelTests {
    private func imported(_ model: String, to folder: TemporaryDirectory) throws -> ModelBundle {
        let file = { (name: String) in SharedFiles.url("models/\(model)/\(name)").path }
        let path = folder.url.appendingPathComponent(model).path
        try ModelImport(
            encoder: file("encoder.onnx"), decoder: file("decoder.safetensors"), vocabulary: file("vocabulary.txt"),
            configuration: file("config.json")
        ).run(to: path)
        return try ModelBundle.load(directory: path)
    }

    /// The reference encoder's 18 dynamic pads fold into the convolutions.
    @Test func importsTheReference() throws {
        let folder = try TemporaryDirectory()
        let graph = try imported("reference", to: folder).manifest.encoder
        #expect(graph.nodes.count == 98)
        #expect(Set(graph.nodes.map(\.operation.name)) == ["convolution", "clip", "add", "global_average_pool"])
        let asymmetric = graph.nodes.filter {
            if case .convolution(_, _, let window, _) = $0.operation {
                window.padTop != window.padBottom
            } else {
                false
            }
        }
        #expect(asymmetric.count == 5)
    }

    /// The features of the golden photographs: within 1e-3 of PyTorch's, relative.
    @Test(arguments: ["reference", "kaption-small"])
    func agreesWithPyTorch(_ model: String) throws {
        let folder = try TemporaryDirectory()
        let bundle = try imported(model, to: folder)
        let encoder = try Encoder(graph: bundle.manifest.encoder, weights: bundle.tensor)
        let workspace = encoder.makeWorkspace(maximumBatch: 1)
        let reader = ImageReader(preprocessing: bundle.manifest.preprocessing)
        let golden = try GoldenFile.load(model)
        let wanted = try GoldenFile.features(model, size: encoder.featureSize)
        var worst: Float = 0
        for (image, features) in zip(golden.images, wanted) {
            let bytes = try Data(contentsOf: SharedFiles.url("flickr8k/images/\(image.image)"))
            try bytes.withUnsafeBytes {
                try reader.read($0, into: workspace.input, pixelStride: Encoder.inputPixelStride)
            }
            workspace.encode(row: 0)
            workspace.finish(rows: 1)
            let made = Array(UnsafeBufferPointer(start: workspace.features(row: 0), count: encoder.featureSize))
            worst = max(worst, relativeDifference(made, features))
        }
        #expect(golden.images.count == 64)
        #expect(worst < 1e-3, "relative difference \(worst)")
        print("\(model): features differ by at most \(worst) relative")
    }

    /// The encoder of the model in the box has the layers of `kaption-small`'s, and other weights.
    @Test func theEncoderInTheBoxHasTheSameLayers() throws {
        let box = try ModelBundle.load(
            directory: SharedFiles.packageRoot.appendingPathComponent("Models/kaption-small").path)
        let folder = try TemporaryDirectory()
        let made = try imported("kaption-small", to: folder)
        #expect(unnamed(made.manifest.encoder) == unnamed(box.manifest.encoder))
        #expect(made.manifest.preprocessing == box.manifest.preprocessing)
        let names = box.tensors.keys.filter { $0.hasPrefix("encoder.") }
        #expect(names.count > 40)
        for name in names { #expect(made.tensors[name]?.shape == box.tensors[name]?.shape, "\(name)") }
    }

    private func unnamed(_ graph: Graph) -> Graph {
        var graph = graph
        for index in graph.nodes.indices { graph.nodes[index].name = "" }
        return graph
    }
}
