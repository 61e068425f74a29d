"""Makes what both sides of the comparison read, in one folder:

    NETWORK/encoder.onnx    torchvision's networks with random weights (Tests/Parity/networks.py), the batch symbolic
    NETWORK/encoder-int8.onnx   the same quantised by ONNX Runtime: static, unsigned activations, signed weights by channel (QDQ)
    NETWORK/step.onnx       the step of a decoder of 8,000 words; step-int8.onnx the same in int8 for ONNX Runtime
    NETWORK/bundle          both, imported by `kaption-model import`
    NETWORK/bundle-int8     that, calibrated by `kaption-model quantize`
    others/NAME/            the same of networks that were given
    decoder-WORDS/          decoder.safetensors, its step as ONNX for the runtimes, also in int8 for ONNX Runtime, and a bundle
    trained-NAME/           the same of trained models that were given, with their encoder, too
    pictures/               a drawn scene as JPEG in the sizes that are compared

Other decoders have random weights, with biases that keep pad, start, end and unknown from ever being chosen, so that every caption takes all
its steps on both sides.
"""
import argparse
import json
import pathlib
import subprocess
import sys

import numpy
import onnx

import stepgraph

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Tests" / "Parity"))

# What calibration leaves in floats of the trained network: with random weights it would leave less.
LEFT_IN_FLOATS = {"mobilenet_v2": ["--tolerance", "100", "--float-sums", "--wide", "/features/features.1/conv/conv.0/conv.0.0/Conv",
                                   "--wide", "/features/features.1/conv/conv.1/Conv"]}
NETWORKS = ["mobilenet_v2", "efficientnet_b0", "resnet50", "inception_v3", "vgg16"]
WORDS = [2538, 8000]
WIDTH = 512
PICTURES = [(500, 375), (4000, 3000)]


def write_safetensors(path, tensors):
    header, position = {}, 0
    for name, tensor in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [position, position + tensor.nbytes]}
        position += tensor.nbytes
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for tensor in tensors.values():
            file.write(tensor.tobytes())


def read_safetensors(path):
    data = pathlib.Path(path).read_bytes()
    begin = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:begin])
    types = {"F32": numpy.float32, "F16": numpy.float16}
    return {
        name: numpy.frombuffer(data[begin + part["data_offsets"][0]:begin + part["data_offsets"][1]], types[part["dtype"]])
        .reshape(part["shape"]).astype(numpy.float32)
        for name, part in header.items() if name != "__metadata__"}


def random_decoder(words, features):
    random = numpy.random.default_rng(words)
    shapes = {
        "image.weight": (WIDTH, features), "image.bias": (WIDTH,), "embedding.weight": (words, WIDTH),
        "lstm.weight_ih_l0": (4 * WIDTH, WIDTH), "lstm.weight_hh_l0": (4 * WIDTH, WIDTH),
        "lstm.bias_ih_l0": (4 * WIDTH,), "lstm.bias_hh_l0": (4 * WIDTH,),
        "output.weight": (words, WIDTH), "output.bias": (words,),
    }
    scale = {"embedding.weight": 1.0, "output.weight": 0.5}
    tensors = {
        name: random.uniform(-1, 1, shape).astype(numpy.float32) * numpy.float32(scale.get(name, 0.06))
        for name, shape in shapes.items()}
    tensors["output.bias"][:4] = -60
    return tensors


def make_bundle(tool, folder, encoder, decoder, words, size, features):
    """A bundle in folder/bundle from an ONNX file and a decoder's weights."""
    vocabulary = ["<pad>", "<start>", "<end>", "<unk>"] + [f"w{index}" for index in range(4, words)]
    (folder / "vocabulary.txt").write_text("\n".join(vocabulary) + "\n")
    (folder / "config.json").write_text(json.dumps({
        "name": folder.name,
        "encoder": {"input": "image", "output": "features", "width": size, "height": size, "normalization": "torchvision",
                    "feature_size": features},
        "decoder": {"kind": "show-and-tell", "embedding_size": WIDTH, "hidden_size": WIDTH}}))
    subprocess.run(
        [tool, "import", "--encoder", encoder, "--decoder", decoder, "--vocabulary", folder / "vocabulary.txt", "--config",
         folder / "config.json", "--output", folder / "bundle", "--force"], check=True, stdout=subprocess.DEVNULL)


class Noise:
    """What the graph is calibrated with. Its speed does not depend on it."""

    def __init__(self, name, size):
        random = numpy.random.default_rng(0)
        self.images = iter([{name: random.standard_normal((1, 3, size, size), numpy.float32)} for _ in range(4)])

    def get_next(self):
        return next(self.images, None)


def quantise(encoder, quantised):
    """Writes the graph with 8-bit activations and weights."""
    import onnxruntime.quantization as quantization
    value = onnx.load(encoder, load_external_data=False).graph.input[0]
    noise = Noise(value.name, value.type.tensor_type.shape.dim[2].dim_value)
    quantization.quantize_static(
        str(encoder), str(quantised), noise, quant_format=quantization.QuantFormat.QDQ, per_channel=True,
        activation_type=quantization.QuantType.QUInt8, weight_type=quantization.QuantType.QInt8)


def quantise_step(target):
    """The decoder's step with 8-bit weights, its inputs quantised as they come: only ONNX Runtime is fast with such a graph."""
    import onnxruntime.quantization as quantization
    if not (target / "step-int8.onnx").exists():
        quantization.quantize_dynamic(
            str(target / "step.onnx"), str(target / "step-int8.onnx"), per_channel=True, weight_type=quantization.QuantType.QInt8,
            op_types_to_quantize=["Gemm", "MatMul"])


def prepare_int8(encoder, bundle, target, tool, pictures):
    if not (target / "encoder-int8.onnx").exists():
        quantise(encoder, target / "encoder-int8.onnx")
    if not (target / "bundle-int8").exists():
        floats = LEFT_IN_FLOATS.get(target.name, [])
        subprocess.run(
            [tool, "quantize", "--model", bundle, "--output", target / "bundle-int8", *floats, *pictures], check=True,
            stdout=subprocess.DEVNULL)


def prepare_network(name, folder, tool):
    target = folder / name
    if (target / "bundle").exists():
        return
    import networks
    target.mkdir(parents=True, exist_ok=True)
    encoder = target / "encoder.onnx"
    if not encoder.exists():
        model, size = networks.build(name)
        networks.export(model, size, encoder, False)
    model = onnx.load(encoder, load_external_data=False)
    size = model.graph.input[0].type.tensor_type.shape.dim[2].dim_value
    features = feature_size(encoder, size)
    tensors = random_decoder(8000, features)
    write_safetensors(target / "decoder.safetensors", tensors)
    stepgraph.write(tensors, target)
    make_bundle(tool, target, encoder, target / "decoder.safetensors", 8000, size, features)


def feature_size(encoder, size):
    import onnxruntime
    session = onnxruntime.InferenceSession(str(encoder), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: numpy.zeros((1, 3, size, size), numpy.float32)})[0].shape[1]


def prepare_decoder(words, folder, tool):
    target = folder / f"decoder-{words}"
    if (target / "bundle").exists():
        return
    target.mkdir(parents=True, exist_ok=True)
    features = 1280
    tensors = random_decoder(words, features)
    write_safetensors(target / "decoder.safetensors", tensors)
    stepgraph.write(tensors, target)
    random = numpy.random.default_rng(1)
    random.uniform(-2, 2, (8, features)).astype(numpy.float32).tofile(target / "features.f32")
    make_bundle(
        tool, target, folder / "mobilenet_v2" / "encoder.onnx", target / "decoder.safetensors", words, 224, features)


def prepare_trained(source, folder, tool):
    """Of a model in the form that `kaption-model import` takes, with features.f32 beside it if its decoder is to be timed."""
    target = folder / f"trained-{source.name}"
    if (target / "bundle").exists():
        return
    target.mkdir(parents=True, exist_ok=True)
    files = ["encoder.onnx", "decoder.safetensors", "vocabulary.txt", "config.json"]
    for name in [*files, "features.f32"]:
        if (source / name).exists() and not (target / name).exists():
            (target / name).symlink_to((source / name).resolve())
    # Pad, start and unknown are never chosen.
    stepgraph.write(read_safetensors(target / "decoder.safetensors"), target, excluded=(0, 1, 3))
    options = [part for option, name in zip(("encoder", "decoder", "vocabulary", "config"), files)
               for part in (f"--{option}", source / name)]
    subprocess.run([tool, "import", *options, "--output", target / "bundle"], check=True, stdout=subprocess.DEVNULL)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--tool", required=True, help="the kaption-model program")
    parser.add_argument("--draw", required=True, help="the InferenceBenchmark program, which draws the pictures")
    parser.add_argument("--networks", nargs="*", default=NETWORKS, choices=NETWORKS)
    parser.add_argument("--encoder", nargs=3, action="append", default=[], metavar=("NAME", "ONNX", "BUNDLE"), help="one more")
    parser.add_argument("--model", type=pathlib.Path, action="append", default=[], help="a folder of a trained model, as import takes it")
    arguments = parser.parse_args()
    pictures = arguments.folder / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    for width, height in PICTURES:
        path = pictures / f"{width}x{height}.jpg"
        if not path.exists():
            subprocess.run([arguments.draw, "draw", str(width), str(height), path], check=True)
    drawn = sorted(pictures.glob("*.jpg"))
    for name in arguments.networks:
        prepare_network(name, arguments.folder, arguments.tool)
        target = arguments.folder / name
        prepare_int8(target / "encoder.onnx", target / "bundle", target, arguments.tool, drawn)
        quantise_step(target)
    for name, encoder, bundle in arguments.encoder:
        target = arguments.folder / "others" / name
        target.mkdir(parents=True, exist_ok=True)
        for link, to in (("encoder.onnx", encoder), ("bundle", bundle)):
            if not (target / link).exists():
                (target / link).symlink_to(pathlib.Path(to).resolve())
        prepare_int8(target / "encoder.onnx", target / "bundle", target, arguments.tool, drawn)
    for source in arguments.model:
        prepare_trained(source, arguments.folder, arguments.tool)
    for words in WORDS:
        prepare_decoder(words, arguments.folder, arguments.tool)
        quantise_step(arguments.folder / f"decoder-{words}")


if __name__ == "__main__":
    main()
