"""Writes operator_cases.json: small ONNX graphs, an image, and what ONNX Runtime makes of it.

The file is committed, so that the tests that import these graphs need neither onnx nor onnxruntime. Write it anew after a change here:

    .build/parity/bin/python Tests/Parity/operator_cases.py
"""
import base64
import json
import pathlib

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

random = numpy.random.default_rng(7)
CASES = {}
BATCH, HEIGHT, WIDTH = 2, 7, 9
IMAGE = random.standard_normal((BATCH, 3, HEIGHT, WIDTH), numpy.float32)


def text(data):
    return base64.b64encode(data).decode()


class Graph:
    """A graph under construction; methods return value names."""

    def __init__(self, opset=17):
        self.opset, self.nodes, self.initializers, self.count = opset, [], [], 0

    def name(self):
        self.count += 1
        return f"v{self.count}"

    def constant(self, values, dtype=None):
        array = numpy.asarray(values, dtype=dtype)
        name = self.name()
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def integers(self, *values):
        return self.constant(values, numpy.int64)

    def scalar(self, value):
        return self.constant(value, numpy.float32)

    def weights(self, *shape):
        return self.constant(random.standard_normal(shape) * 0.5, numpy.float32)

    def positive(self, *shape):
        return self.constant(random.random(shape) + 0.5, numpy.float32)

    def __call__(self, operator, *inputs, outputs=1, **attributes):
        names = [self.name() for _ in range(outputs)]
        self.nodes.append(helper.make_node(operator, list(inputs), names, name=f"n{len(self.nodes)}", **attributes))
        return names[0] if outputs == 1 else names

    def conv(self, x, channels, out, kernel=(3, 3), groups=1, bias=True, **attributes):
        inputs = [x, self.weights(out, channels // groups, *kernel)] + ([self.weights(out)] if bias else [])
        return self("Conv", *inputs, group=groups, kernel_shape=list(kernel), **attributes)

    def norm(self, x, channels):
        return self("BatchNormalization", x, self.weights(channels), self.weights(channels), self.weights(channels),
                    self.positive(channels), epsilon=1e-3)

    def shape_entry(self, x, index):
        return self("Unsqueeze", self("Gather", self("Shape", x), self.constant(index, numpy.int64), axis=0),
                    self.integers(0))


def case(function=None, opset=17, flat=True):
    """Registers a case: a function of (graph, input) that returns the output, flattened unless it is flat already."""
    if function is None:
        return lambda function: case(function, opset, flat)
    graph = Graph(opset)
    output = function(graph, "image")
    if flat:
        output = graph("Flatten", output, axis=1)
    graph.nodes.append(helper.make_node("Identity", [output], ["features"], name="last"))
    value = helper.make_tensor_value_info
    proto = helper.make_graph(
        graph.nodes, function.__name__, [value("image", TensorProto.FLOAT, ["batch", 3, HEIGHT, WIDTH])],
        [value("features", TensorProto.FLOAT, ["batch", "features"])], graph.initializers)
    model = helper.make_model(proto, opset_imports=[helper.make_opsetid("", opset)], ir_version=8 if opset < 20 else 10)
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    data = model.SerializeToString()
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    features = session.run(None, {"image": IMAGE})[0]
    assert features.ndim == 2 and features.shape[0] == BATCH and numpy.isfinite(features).all(), function.__name__
    CASES[function.__name__] = {
        "model": text(data), "output": text(features.tobytes()), "features": features.shape[1]}
    return function


# --- convolutions

@case
def conv_plain(g, x): return g.conv(x, 3, 4, pads=[1, 1, 1, 1])

@case
def conv_without_bias_strided(g, x): return g.conv(x, 3, 4, bias=False, strides=[2, 3])

@case
def conv_depthwise_dilated(g, x): return g.conv(x, 3, 6, groups=3, dilations=[2, 2], pads=[2, 2, 2, 2])

@case
def conv_groups(g, x): return g.conv(g.conv(x, 3, 4, (1, 1)), 4, 6, groups=2, pads=[1, 1, 1, 1])

@case
def conv_asymmetric_kernels(g, x): return g.conv(g.conv(x, 3, 4, (1, 5), pads=[0, 2, 0, 2]), 4, 5, (3, 1))

@case
def conv_asymmetric_padding(g, x): return g.conv(x, 3, 4, pads=[0, 1, 2, 0], strides=[2, 2])

@case
def conv_same_upper(g, x): return g.conv(x, 3, 4, auto_pad="SAME_UPPER", strides=[2, 2])

@case
def conv_same_lower(g, x): return g.conv(x, 3, 4, (4, 2), auto_pad="SAME_LOWER", strides=[3, 2])

@case
def conv_valid(g, x): return g.conv(x, 3, 4, auto_pad="VALID")

@case
def conv_over_one_pixel(g, x):
    """Squeeze and excitation, by convolutions over the mean."""
    y = g.conv(x, 3, 8)
    gate = g("Relu", g.conv(g("GlobalAveragePool", y), 8, 2, (1, 1)))
    return g("Mul", y, g("Sigmoid", g.conv(gate, 2, 8, (1, 1))))

@case
def conv_over_reshaped_vector(g, x):
    y = g("Flatten", g("GlobalAveragePool", g.conv(x, 3, 8)))
    return g.conv(g("Reshape", y, g.integers(-1, 8, 1, 1)), 8, 4, (1, 1))

@case
def conv_half_weights(g, x):
    w = g("Cast", g.constant(random.standard_normal((4, 3, 3, 3)), numpy.float16), to=TensorProto.FLOAT)
    return g("Conv", x, w)


# --- padding

@case(opset=11)
def pad_into_conv(g, x):
    return g.conv(g("Pad", x, g.integers(0, 0, 1, 2, 0, 0, 0, 3), g.scalar(0)), 3, 4, pads=[1, 0, 0, 0])

@case(opset=18)
def pad_with_axes(g, x): return g.conv(g("Pad", x, g.integers(2, 0, 1, 0), "", g.integers(3, 2)), 3, 4)

@case
def pad_dynamic(g, x):
    """PyTorch's way of writing TensorFlow's "same" padding: amounts computed from the image's shape."""
    amounts = []
    for axis in (3, 2):
        size = g("Gather", g("Shape", x), g.constant(axis, numpy.int64), axis=0)
        tiles = g("Neg", g("Div", g("Neg", size), g.constant(2, numpy.int64)))
        total = g("Sub", g("Add", g("Mul", g("Sub", tiles, g.constant(1, numpy.int64)), g.constant(2, numpy.int64)),
                           g.constant(3, numpy.int64)), size)
        total = g("Max", total, g.constant(0, numpy.int64))
        before = g("Cast", g("Div", total, g.constant(2, numpy.int64)), to=TensorProto.INT64)
        amounts += [before, g("Sub", total, before)]
    amounts = g("Concat", *[g("Unsqueeze", a, g.integers(0)) for a in amounts], axis=0)
    zeros = g("ConstantOfShape", g.integers(4), value=helper.make_tensor("value", TensorProto.INT64, [1], [0]))
    padded = g("Reshape", g("Concat", amounts, zeros, axis=0), g.integers(-1, 2))
    turned = g("Slice", padded, g.integers(-1), g.integers(-(2**63) + 1), g.integers(0), g.integers(-1))
    amounts = g("Reshape", g("Transpose", turned, perm=[1, 0]), g.integers(-1))
    return g.conv(g("Pad", x, g("Cast", amounts, to=TensorProto.INT64), g.scalar(0)), 3, 4, strides=[2, 2])

@case
def pad_into_max_pool_after_relu(g, x):
    y = g("Pad", g("Relu", x), g.integers(0, 0, 1, 1, 0, 0, 1, 1))
    return g("MaxPool", y, kernel_shape=[3, 3], strides=[2, 2])

@case
def pad_into_average_pool(g, x):
    y = g("Pad", x, g.integers(0, 0, 1, 1, 0, 0, 1, 1))
    return g("AveragePool", y, kernel_shape=[3, 3], strides=[2, 2])


# --- pools and means

@case
def max_pool_padded(g, x): return g("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])

@case
def max_pool_ceil(g, x): return g("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)

@case
def max_pool_ceil_padded(g, x): return g("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 0, 0, 1], ceil_mode=1)

@case
def max_pool_dilated(g, x): return g("MaxPool", x, kernel_shape=[2, 3], dilations=[2, 2])

@case
def max_pool_same(g, x): return g("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")

@case
def average_pool(g, x): return g("AveragePool", x, kernel_shape=[2, 3], strides=[2, 1])

@case
def average_pool_excluding(g, x): return g("AveragePool", x, kernel_shape=[3, 3], pads=[1, 1, 1, 1])

@case
def average_pool_including(g, x): return g("AveragePool", x, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)

@case
def average_pool_ceil_excluding(g, x): return g("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)

@case(opset=19)
def average_pool_ceil_including(g, x):
    return g("AveragePool", x, kernel_shape=[3, 3], strides=[3, 2], pads=[1, 1, 0, 0], ceil_mode=1, count_include_pad=1)

@case
def global_average_pool(g, x): return g("GlobalAveragePool", x)

@case
def global_max_pool(g, x): return g("GlobalMaxPool", x)

@case(flat=False)
def reduce_mean_attribute(g, x): return g("ReduceMean", x, axes=[2, 3], keepdims=0)

@case
def reduce_mean_negative_axes(g, x): return g("ReduceMean", x, axes=[-1, -2], keepdims=1)

@case(opset=18, flat=False)
def reduce_mean_input(g, x): return g("ReduceMean", x, g.integers(2, 3), keepdims=0)

@case(flat=False)
def reduce_mean_joined_pixels(g, x): return g("ReduceMean", g("Reshape", x, g.integers(0, 3, -1)), axes=[2], keepdims=0)


# --- dense layers

@case(flat=False)
def gemm_transposed(g, x):
    return g("Gemm", g("Flatten", x), g.weights(5, 3 * HEIGHT * WIDTH), g.weights(5), transB=1, alpha=0.5, beta=2.0)

@case(flat=False)
def gemm_after_pool(g, x):
    y = g("Flatten", g.conv(x, 3, 4, strides=[2, 2]))
    return g("Relu", g("Gemm", g("Relu", g("Gemm", y, g.weights(48, 6), g.weights(6))), g.weights(6, 4)))

@case(flat=False)
def matmul_add(g, x):
    y = g("Reshape", x, g.integers(0, -1))
    return g("Add", g("MatMul", y, g.weights(3 * HEIGHT * WIDTH, 5)), g.weights(5))

@case(flat=False)
def matmul_transposed_weight(g, x):
    y = g("ReduceMean", x, axes=[2, 3], keepdims=0)
    return g("MatMul", y, g("Transpose", g.weights(6, 3), perm=[1, 0]))

@case
def matmul_over_pixels(g, x):
    return g("MatMul", g("Transpose", x, perm=[0, 2, 3, 1]), g.weights(3, 5))


# --- arithmetic

@case
def add_values(g, x): return g("Add", g.conv(x, 3, 3, pads=[1, 1, 1, 1]), x)

@case
def subtract_values(g, x): return g("Sub", g.conv(x, 3, 3, pads=[1, 1, 1, 1]), x)

@case
def sum_values(g, x): return g("Sum", g("Relu", x), x, g("Sigmoid", x))

@case
def multiply_by_gate_on_the_left(g, x): return g("Mul", g("Sigmoid", g("GlobalAveragePool", x)), x)

@case
def add_vector_to_image(g, x):
    y = g("ReduceMean", x, axes=[2, 3], keepdims=0)
    return g("Add", x, g("Unsqueeze", g("Unsqueeze", y, g.integers(2)), g.integers(3)))

@case
def constants_per_channel(g, x):
    y = g("Mul", g("Add", x, g.weights(3, 1, 1)), g.weights(1, 3, 1, 1))
    return g("Div", g("Sub", y, g.weights(1, 3, 1, 1)), g.positive(3, 1, 1))

@case
def constant_minus_value(g, x): return g("Sub", g.scalar(1.5), x)

@case
def constants_between_readers(g, x):
    """A scaled value with two readers."""
    y = g("Mul", g.conv(x, 3, 3, pads=[1, 1, 1, 1]), g.weights(3, 1, 1))
    return g("Add", g("Relu", y), y)

@case(flat=False)
def constants_after_flatten(g, x):
    return g("Mul", g("Add", g("Flatten", x), g.weights(3 * HEIGHT * WIDTH)), g.scalar(3.0))

@case
def limits(g, x): return g("Min", g("Max", x, g.scalar(-0.5)), g.scalar(0.75))

@case
def negative(g, x): return g("Neg", x)

@case
def norm_folds_into_conv(g, x): return g("Relu", g.norm(g.conv(x, 3, 4), 4))

@case
def norm_on_its_own(g, x): return g.conv(g("Relu", g.norm(x, 3)), 3, 4)

@case
def norm_beside_another_reader(g, x):
    y = g.conv(x, 3, 3, pads=[1, 1, 1, 1])
    return g("Concat", g.norm(y, 3), y, axis=1)

@case(flat=False)
def norm_after_gemm(g, x): return g.norm(g("Gemm", g("Flatten", x), g.weights(3 * HEIGHT * WIDTH, 5)), 5)


# --- activation functions

@case
def relu(g, x): return g("Relu", x)

@case
def clip(g, x): return g("Clip", x, g.scalar(0), g.scalar(1.25))

@case
def clip_one_sided(g, x): return g("Clip", x, g.scalar(-0.25))

@case
def sigmoid(g, x): return g("Sigmoid", x)

@case
def hard_sigmoid(g, x): return g("HardSigmoid", x, alpha=0.3, beta=0.4)

@case
def hard_swish(g, x): return g("HardSwish", x)

@case
def hard_swish_by_hard_sigmoid(g, x): return g("Mul", g("HardSigmoid", x, alpha=1 / 6, beta=0.5), x)

@case
def hard_swish_by_clip(g, x):
    gate = g("Clip", g("Add", x, g.scalar(3)), g.scalar(0), g.scalar(6))
    return g("Div", g("Mul", x, gate), g.scalar(6))

@case
def hard_swish_by_scaled_clip(g, x):
    gate = g("Clip", g("Add", x, g.scalar(3)), g.scalar(0), g.scalar(6))
    return g("Mul", x, g("Mul", gate, g.scalar(1 / 6)))

@case
def silu(g, x): return g("Mul", x, g("Sigmoid", x))

@case
def gate_that_is_no_silu(g, x): return g("Mul", x, g("Sigmoid", g("Mul", x, g.scalar(1.702))))

@case
def gelu_by_erf(g, x):
    gate = g("Add", g("Erf", g("Div", x, g.scalar(2 ** 0.5))), g.scalar(1))
    return g("Mul", g("Mul", x, gate), g.scalar(0.5))

@case
def gelu_by_erf_half_first(g, x):
    gate = g("Add", g("Erf", g("Mul", x, g.scalar(0.5 ** 0.5))), g.scalar(1))
    return g("Mul", g("Mul", x, g.scalar(0.5)), gate)

@case
def gelu_by_erf_half_gate(g, x):
    gate = g("Mul", g.scalar(0.5), g("Add", g.scalar(1), g("Erf", g("Div", x, g.scalar(2 ** 0.5)))))
    return g("Mul", gate, x)

@case(opset=20)
def gelu(g, x): return g("Gelu", x)


# --- layout

@case
def concatenate(g, x): return g("Concat", x, g.conv(x, 3, 2, pads=[1, 1, 1, 1]), g("Relu", x), axis=-3)

@case(flat=False)
def concatenate_vectors(g, x):
    return g("Concat", g("Flatten", x), g("ReduceMean", x, axes=[2, 3], keepdims=0), axis=1)

@case(flat=False)
def reshape_with_batch(g, x):
    rows = g.shape_entry(x, 0)
    return g("Reshape", x, g("Concat", rows, g.integers(-1), axis=0))

@case(flat=False)
def reshape_with_computed_size(g, x):
    size = g("ReduceProd", g("Slice", g("Shape", x), g.integers(1), g.integers(2**63 - 1), g.integers(0)), keepdims=1)
    return g("Reshape", x, g("Concat", g.integers(-1), size, axis=0))

@case(flat=False)
def reshape_where_expand(g, x):
    """Expand to the value's own shape, as exporters write it."""
    y = g("GlobalAveragePool", x)
    wanted = g("Concat", g.shape_entry(x, 0), g.integers(-1, 1, 1), axis=0)
    ones = g("ConstantOfShape", g("Shape", wanted), value=helper.make_tensor("value", TensorProto.INT64, [1], [1]))
    shape = g("Where", g("Equal", wanted, g("Mul", ones, g.constant(-1, numpy.int64))), ones, wanted)
    return g("Flatten", g("Expand", y, shape))

@case(flat=False)
def flatten_negative_axis(g, x): return g("Flatten", x, axis=-3)

@case(flat=False)
def flatten_channels_last(g, x): return g("Reshape", g("Transpose", x, perm=[0, 2, 3, 1]), g.integers(0, -1))

@case(flat=False)
def dense_after_channels_last(g, x):
    y = g("Reshape", g("Transpose", g.conv(x, 3, 4), perm=[0, 2, 3, 1]), g.integers(-1, 4 * 35))
    return g("MatMul", y, g.weights(4 * 35, 3))

@case
def channels_last_and_back(g, x):
    """Keras's layout in the middle: statistics and means over NHWC."""
    y = g("Transpose", g.conv(x, 3, 4), perm=[0, 2, 3, 1])
    y = g("Add", g("Mul", y, g.weights(4)), g.weights(1, 1, 1, 4))
    gate = g("Sigmoid", g("ReduceMean", y, axes=[1, 2], keepdims=1))
    return g("Transpose", g("Mul", y, gate), perm=[0, 3, 1, 2])

@case(flat=False)
def squeeze_pooled(g, x): return g("Squeeze", g("GlobalAveragePool", x), g.integers(2, 3))

@case(opset=11, flat=False)
def squeeze_attribute(g, x): return g("Squeeze", g("GlobalAveragePool", x), axes=[-1, -2])

@case
def transform_input(g, x):
    """Inception's change of normalisation, a channel at a time."""
    parts = []
    for channel in range(3):
        y = g("Unsqueeze", g("Gather", x, g.constant(channel, numpy.int64), axis=1), g.integers(1))
        parts.append(g("Add", g("Mul", y, g.scalar(0.4 + channel)), g.scalar(-0.1 * channel)))
    return g("Concat", *parts, axis=1)

@case
def gather_channels(g, x): return g("Gather", x, g.integers(2, 0, -2), axis=1)

@case
def slice_channels(g, x):
    y = g.conv(x, 3, 6)
    return g("Slice", y, g.integers(-1, 0), g.integers(-5, 2**62), g.integers(1, 2), g.integers(-2, 1))

@case
def split_channels(g, x):
    a, b = g("Split", g.conv(x, 3, 5), g.integers(2, 3), axis=1, outputs=2)
    return g("Concat", b, g("Relu", a), axis=1)

@case
def no_operations(g, x):
    y = g("Dropout", g("Identity", g("Cast", x, to=TensorProto.FLOAT)))
    return g("Relu", g("Slice", y, g.integers(0), g.integers(2**63 - 1), g.integers(0)))

@case
def dead_branch(g, x):
    g("Softmax", x)
    return g("Relu", x)


if __name__ == "__main__":
    path = pathlib.Path(__file__).with_name("operator_cases.json")
    path.write_text(json.dumps(
        {"batch": BATCH, "height": HEIGHT, "width": WIDTH, "onnxruntime": onnxruntime.__version__,
         "image": text(IMAGE.tobytes()), "cases": CASES}, indent=1) + "\n")
    print(f"{path.name}: {len(CASES)} cases, {path.stat().st_size} bytes")
