import Foundation
import TestSupport
import Testing

@testable import Inference

/// Imported operators against ONNX Runtime's results.
struct OperatorTests {
    @Test(arguments: OperatorCases.names)
    func agreesWithONNXRuntime(_ name: String) throws {
        let all = OperatorCases.all
        let wanted = try #require(all.cases[name])
        let folder = try TemporaryDirectory()
        let path = try folder.write("model.onnx", wanted.model).path
        let (graph, weights) = try GraphImporter.importEncoder(path: path, height: all.height, width: all.width)
        #expect(try graph.featureSize() == wanted.features)
        let features = try encode(all.image.floats, batch: all.batch, graph: graph, weights: weights)
        let difference = relativeDifference(features, wanted.output.floats)
        #expect(difference < 1e-5, "relative difference \(difference)")
    }

    /// What spelled-out functions, padding and normalisation become.
    @Test(arguments: [
        ("pad_into_conv", ["convolution", "flatten"]), ("pad_dynamic", ["convolution", "flatten"]),
        ("pad_into_max_pool_after_relu", ["relu", "max_pool", "flatten"]),
        ("pad_into_average_pool", ["average_pool", "flatten"]),
        ("hard_swish_by_hard_sigmoid", ["hard_swish", "flatten"]), ("hard_swish_by_clip", ["hard_swish", "flatten"]),
        ("hard_swish_by_scaled_clip", ["hard_swish", "flatten"]), ("silu", ["silu", "flatten"]),
        ("gate_that_is_no_silu", ["scale_shift", "sigmoid", "multiply", "flatten"]),
        ("gelu_by_erf", ["gelu", "flatten"]), ("gelu_by_erf_half_first", ["gelu", "flatten"]),
        ("gelu_by_erf_half_gate", ["gelu", "flatten"]), ("gelu", ["gelu", "flatten"]),
        ("norm_folds_into_conv", ["convolution", "relu", "flatten"]),
        ("norm_on_its_own", ["scale_shift", "relu", "convolution", "flatten"]),
        ("norm_beside_another_reader", ["convolution", "scale_shift", "concatenate", "flatten"]),
        ("norm_after_gemm", ["flatten", "dense"]), ("matmul_add", ["flatten", "dense"]),
        ("reduce_mean_attribute", ["global_average_pool"]), ("global_average_pool", ["global_average_pool"]),
        ("flatten_channels_last", ["flatten"]), ("dead_branch", ["relu", "flatten"]),
        ("no_operations", ["relu", "flatten"]),
    ])
    func becomes(_ name: String, _ operations: [String]) throws {
        let all = OperatorCases.all
        let folder = try TemporaryDirectory()
        let path = try folder.write("model.onnx", try #require(all.cases[name]).model).path
        let (graph, _) = try GraphImporter.importEncoder(path: path, height: all.height, width: all.width)
        // A flattening in ONNX's order is followed by one of the features.
        #expect(graph.nodes.map(\.operation.name).filter { $0 != "gather_channels" } == operations)
    }
}
