"""The encoder of kaption-small: its network, its input, the files that `kaption-model import` takes, and what its trainings have in common."""
import argparse
import json
import math
import os
import random

import numpy as np
import torch
from PIL import Image
from torch import nn

SIZE, MEAN, DEVIATION = 160, 127.5, 127.5
WIDTHS, FEATURES = (48, 48, 96, 96, 192, 192, 320, 320), 512


def convolution(inputs, outputs, size, stride, normalised):
    layer = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=not normalised)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs)) if normalised else layer


class Block(nn.Module):
    """Two 3×3 convolutions beside a shortcut (He et al., "Deep Residual Learning for Image Recognition", 2016)."""

    def __init__(self, inputs, outputs, normalised):
        super().__init__()
        stride = 1 if inputs == outputs else 2
        self.first = convolution(inputs, outputs, 3, stride, normalised)
        self.second = convolution(outputs, outputs, 3, 1, normalised)
        self.shortcut = nn.Identity() if inputs == outputs else convolution(inputs, outputs, 1, stride, normalised)

    def forward(self, x):
        return torch.relu(self.second(torch.relu(self.first(x))) + self.shortcut(x))


class Encoder(nn.Module):
    """[batch, 3, 160, 160] to [batch, 512]. Its convolutions are numbered as they are executed; they have batch norm behind them, or biases."""

    def __init__(self, normalised=True):
        super().__init__()
        layers = [convolution(3, 32, 3, 2, normalised), nn.ReLU()]
        layers += [Block(inputs, outputs, normalised) for inputs, outputs in zip((32,) + WIDTHS, WIDTHS)]
        self.layers = nn.Sequential(*layers, convolution(WIDTHS[-1], FEATURES, 1, 1, normalised), nn.ReLU())

    def forward(self, image):
        return self.layers(image).mean((2, 3))


def crop(path, view, size):
    """A view of an image, always the same for the same arguments, as [size, size, 3] bytes. View 0 is the whole image; odd ones are flipped."""
    image = Image.open(path).convert("RGB")
    chance = random.Random(f"{os.path.basename(path)} {view}")
    box = (0, 0, *image.size)
    if view > 0:
        area, ratio = chance.uniform(0.35, 1), math.exp(chance.uniform(-0.29, 0.29))
        width, height = (min(1, math.sqrt(area * side)) for side in (ratio, 1 / ratio))
        left, top = chance.uniform(0, 1 - width), chance.uniform(0, 1 - height)
        box = [part * image.size[at % 2] for at, part in enumerate((left, top, left + width, top + height))]
    pixels = np.asarray(image.resize((size, size), Image.BILINEAR, box=box))
    return pixels[:, ::-1] if view % 2 else pixels


def tensor(pixels, mean=MEAN, deviation=DEVIATION):
    """[height, width, 3] bytes as a network's input [3, height, width]."""
    return torch.from_numpy(((pixels.astype(np.float32) - mean) / deviation).transpose(2, 0, 1).copy())


def has_amx():
    try:
        with open("/proc/cpuinfo") as file:
            return " amx_bf16 " in file.read()
    except OSError:
        return False


def add_run_options(parser):
    parser.add_argument("--out", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="where others work, too, one is faster than two")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes that read photographs")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument(
        "--bfloat16", action=argparse.BooleanOptionalAction, help="multiply in bfloat16; default: on a GPU, and on CPUs with AMX")


def begin(arguments):
    """Prepares a run by those options."""
    if arguments.bfloat16 is None:
        arguments.bfloat16 = arguments.device != "cpu" or has_amx()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    os.makedirs(arguments.out, exist_ok=True)


def checkpoint(arguments):
    return os.path.join(arguments.out, "checkpoint.pt")


def restore(parts, arguments):
    """Fills the parts from the checkpoint and gives all that it holds, or None where there is none."""
    path = checkpoint(arguments)
    if not os.path.exists(path):
        return None
    state = torch.load(path, map_location=arguments.device)
    if state["epochs"] != arguments.epochs:
        raise SystemExit(f"{path} is of a run of {state['epochs']} epochs; remove it")
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return state


def save(state, parts, arguments):
    """The state with what the parts hold, in place of the last checkpoint."""
    path = checkpoint(arguments)
    torch.save({**state, **{name: part.state_dict() for name, part in parts.items()}}, path + ".new")
    os.replace(path + ".new", path)


def write(encoder, folder, training_data):
    """encoder.onnx, config.json, and a vocabulary and a decoder of four words, which `kaption-model train` replaces."""

    def path(name):
        return os.path.join(folder, name)

    torch.onnx.export(
        encoder, torch.zeros(1, 3, SIZE, SIZE), path("encoder.onnx"), input_names=["image"], output_names=["features"],
        dynamic_axes={"image": {0: "batch"}, "features": {0: "batch"}}, opset_version=17, dynamo=False)
    words = ["<pad>", "<start>", "<end>", "<unk>"]
    with open(path("vocabulary.txt"), "w") as file:
        file.writelines(word + "\n" for word in words)
    configuration = {
        "encoder": {
            "input": "image", "output": "features", "width": SIZE, "height": SIZE, "resize": "stretch", "channels": "RGB",
            "mean": [MEAN] * 3, "std": [DEVIATION] * 3, "feature_size": FEATURES},
        "decoder": {"kind": "show-and-tell", "embedding_size": 1, "hidden_size": 1},
        "training_data": training_data}
    with open(path("config.json"), "w") as file:
        json.dump(configuration, file, indent=1)
    shapes = {
        "image.weight": [1, FEATURES], "image.bias": [1], "embedding.weight": [len(words), 1],
        "lstm.weight_ih_l0": [4, 1], "lstm.weight_hh_l0": [4, 1], "lstm.bias_ih_l0": [4], "lstm.bias_hh_l0": [4],
        "output.weight": [len(words), 1], "output.bias": [len(words)]}
    header, at = {}, 0
    for name, shape in shapes.items():
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at := at + 4 * math.prod(shape)]}
    text = json.dumps(header).encode()
    with open(path("decoder.safetensors"), "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + bytes(at))
