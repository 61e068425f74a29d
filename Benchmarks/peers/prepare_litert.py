"""Makes encoders for LiteRT beside those that prepare.py has made: NETWORK/encoder.tflite and, fully quantised, encoder-int8.tflite.

They are Keras's networks of the same names with random weights, not torchvision's: LiteRT's own converter makes its best graphs from
those. ResNet-50 differs: Keras's has the stride in the first 1×1 convolution of a block and so 6% fewer operations.

Needs tensorflow, in an environment of its own.
"""
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import argparse
import pathlib

import keras
import numpy
import tensorflow
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

SIZES = {"mobilenet_v2": 224, "efficientnet_b0": 224, "resnet50": 224, "inception_v3": 299}


def network(name):
    make = {"mobilenet_v2": "MobileNetV2", "efficientnet_b0": "EfficientNetB0", "resnet50": "ResNet50", "inception_v3": "InceptionV3"}
    size = SIZES[name]
    return getattr(keras.applications, make[name])(weights=None, include_top=False, pooling="avg", input_shape=(size, size, 3))


def convert(name, path):
    model, shape = network(name), (1, SIZES[name], SIZES[name], 3)
    function = tensorflow.function(
        lambda pixels: model(pixels, training=False), input_signature=[tensorflow.TensorSpec(shape, tensorflow.float32)])
    graph = convert_variables_to_constants_v2(function.get_concrete_function())
    random = numpy.random.default_rng(0)
    for suffix in ("", "-int8"):
        converter = tensorflow.lite.TFLiteConverter.from_concrete_functions([graph])
        if suffix:
            converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([random.standard_normal(shape, numpy.float32)] for _ in range(8))
            converter.target_spec.supported_ops = [tensorflow.lite.OpsSet.TFLITE_BUILTINS_INT8]
        (path / f"encoder{suffix}.tflite").write_bytes(converter.convert())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, help="what prepare.py made")
    parser.add_argument("--networks", nargs="*", default=list(SIZES), choices=list(SIZES))
    arguments = parser.parse_args()
    for name in arguments.networks:
        if not (arguments.folder / name / "encoder-int8.tflite").exists():
            print(f"{name}: converting", flush=True)
            convert(name, arguments.folder / name)


if __name__ == "__main__":
    main()
