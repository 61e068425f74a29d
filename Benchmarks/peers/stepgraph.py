"""One step of the caption decoder as ONNX, the way a runtime likes it best: one product for all gates, log-softmax and top-k in
the graph, the beams' states reordered by a gather."""
import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

BEAM = 3


def _cell(prefix, gates, cell):
    """Nodes from the gates' sums (i, f, g, o) and the old cell to `hidden` and `cell_out`."""
    names = [f"{prefix}_{gate}" for gate in "ifgo"]
    node = helper.make_node
    kept = [] if cell is None else [
        node("Sigmoid", [names[1]], [f"{prefix}_forget"]), node("Mul", [f"{prefix}_forget", cell], [f"{prefix}_kept"])]
    entering = "cell_out" if cell is None else f"{prefix}_entering"
    joined = [] if cell is None else [node("Add", [f"{prefix}_kept", entering], ["cell_out"])]
    return [
        node("Split", [gates], names, axis=1, num_outputs=4),
        node("Sigmoid", [names[0]], [f"{prefix}_input"]), node("Tanh", [names[2]], [f"{prefix}_new"]),
        node("Mul", [f"{prefix}_input", f"{prefix}_new"], [entering]), *kept, *joined,
        node("Sigmoid", [names[3]], [f"{prefix}_output"]), node("Tanh", ["cell_out"], [f"{prefix}_squashed"]),
        node("Mul", [f"{prefix}_output", f"{prefix}_squashed"], ["hidden_out"])]


def _save(path, nodes, inputs, outputs, constants):
    graph = helper.make_graph(
        nodes, "step",
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs],
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in outputs],
        [numpy_helper.from_array(numpy.ascontiguousarray(value), name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    onnx.checker.check_model(model)
    onnx.save(model, path)


def write(tensors, folder, excluded=()):
    """Writes first.onnx (feature to the first state) and step.onnx (words, parents, states to the best words and new states). Words that are
    excluded are never chosen."""
    node = helper.make_node
    width = tensors["lstm.weight_hh_l0"].shape[1]
    bias = tensors["lstm.bias_ih_l0"] + tensors["lstm.bias_hh_l0"]
    state = lambda name: (name, TensorProto.FLOAT, ["n", width])
    _save(
        folder / "first.onnx",
        [node("Gemm", ["feature", "image_weight", "image_bias"], ["embedded"]),
         node("Gemm", ["embedded", "input_weight", "gate_bias"], ["gates"]), *_cell("first", "gates", None)],
        [("feature", TensorProto.FLOAT, ["n", tensors["image.weight"].shape[1]])],
        [state("hidden_out"), state("cell_out")],
        {"image_weight": tensors["image.weight"].T, "image_bias": tensors["image.bias"],
         "input_weight": tensors["lstm.weight_ih_l0"].T, "gate_bias": bias})
    masking, chosen_from, mask = [], "log_probabilities", {}
    if excluded:
        chosen_from = "allowed"
        mask["mask"] = numpy.zeros(len(tensors["output.bias"]), numpy.float32)
        mask["mask"][list(excluded)] = -numpy.inf
        masking = [node("Add", ["log_probabilities", "mask"], ["allowed"])]
    both = numpy.concatenate([tensors["lstm.weight_ih_l0"], tensors["lstm.weight_hh_l0"]], axis=1).T
    _save(
        folder / "step.onnx",
        [node("Gather", ["hidden", "parent"], ["hidden_in"], axis=0), node("Gather", ["cell", "parent"], ["cell_in"], axis=0),
         node("Gather", ["embedding", "word"], ["embedded"], axis=0),
         node("Concat", ["embedded", "hidden_in"], ["joined"], axis=1),
         node("Gemm", ["joined", "weight", "gate_bias"], ["gates"]), *_cell("step", "gates", "cell_in"),
         node("Gemm", ["hidden_out", "output_weight", "output_bias"], ["logits"]),
         node("LogSoftmax", ["logits"], ["log_probabilities"], axis=1), *masking,
         node("TopK", [chosen_from, "beam"], ["best", "best_words"], axis=1, largest=1, sorted=1)],
        [("word", TensorProto.INT64, ["n"]), ("parent", TensorProto.INT64, ["n"]),
         ("hidden", TensorProto.FLOAT, ["m", width]), ("cell", TensorProto.FLOAT, ["m", width])],
        [("best", TensorProto.FLOAT, ["n", BEAM]), ("best_words", TensorProto.INT64, ["n", BEAM]), state("hidden_out"),
         state("cell_out")],
        {"embedding": tensors["embedding.weight"], "weight": both, "gate_bias": bias,
         "output_weight": tensors["output.weight"].T, "output_bias": tensors["output.bias"],
         "beam": numpy.array([BEAM], numpy.int64), **mask})
