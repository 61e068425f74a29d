#!/usr/bin/env python3
"""Trains the encoder of kaption-small: a small residual network, from a random start, that learns to say what large ones see.

    train_encoder.py --images DIR --split FILE --teacher mobilenet_v2.onnx,128,128 --teacher efficientnet_lite0.onnx,127,128 --out DIR

A teacher is an ONNX encoder (input [batch, 3, height, width], output [batch, features]) with the mean and the deviation, in units of pixels,
that its input is made with. Teachers and student see the same crops ("Knowledge distillation: A good teacher is patient
and consistent", Beyer et al., 2022); the teachers' features of all crops are made once and kept in DIR/teachers.npy. After each epoch all is kept in
DIR/checkpoint.pt, from which a run that was ended goes on (with other random numbers than an unbroken one). In the end DIR holds what
`kaption-model import` takes: encoder.onnx, config.json, and a decoder of four words that `kaption-model train` replaces.

Needs torch, onnx, onnxruntime, numpy and pillow.
"""
import argparse
import json
import math
import os
import random
import time

import numpy as np
import onnxruntime
import torch
from PIL import Image
from torch import nn

SIZE, MEAN, DEVIATION = 160, 127.5, 127.5
WIDTHS, FEATURES = (48, 48, 96, 96, 192, 192, 320, 320), 512


def convolution(inputs, outputs, size, stride=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.BatchNorm2d(outputs))


class Block(nn.Module):
    """Two 3×3 convolutions beside a shortcut (He et al., "Deep Residual Learning for Image Recognition", 2016)."""

    def __init__(self, inputs, outputs):
        super().__init__()
        stride = 1 if inputs == outputs else 2
        self.first = convolution(inputs, outputs, 3, stride)
        self.second = convolution(outputs, outputs, 3)
        self.shortcut = nn.Identity() if inputs == outputs else convolution(inputs, outputs, 1, stride)

    def forward(self, x):
        return torch.relu(self.second(torch.relu(self.first(x))) + self.shortcut(x))


class Encoder(nn.Module):
    """[batch, 3, 160, 160] to [batch, 512]."""

    def __init__(self):
        super().__init__()
        layers = [convolution(3, 32, 3, 2), nn.ReLU()]
        layers += [Block(inputs, outputs) for inputs, outputs in zip((32,) + WIDTHS, WIDTHS)]
        self.layers = nn.Sequential(*layers, convolution(WIDTHS[-1], FEATURES, 1), nn.ReLU())

    def forward(self, image):
        return self.layers(image).mean((2, 3))


def crop(path, view, size):
    """A view of an image, always the same for the same arguments, as [size, size, 3] bytes. View 0 is the whole image."""
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


class Views(torch.utils.data.Dataset):
    """Every view of every image: pixels [3, size, size] and, where they are known, the teachers' features."""

    def __init__(self, paths, views, size, mean, deviation, targets=None):
        self.paths, self.views, self.size, self.targets = paths, views, size, targets
        self.mean, self.deviation = mean, deviation

    def __len__(self):
        return len(self.paths) * self.views

    def __getitem__(self, index):
        pixels = crop(self.paths[index // self.views], index % self.views, self.size).astype(np.float32)
        image = torch.from_numpy(((pixels - self.mean) / self.deviation).transpose(2, 0, 1).copy())
        return image, 0 if self.targets is None else torch.from_numpy(self.targets[index].astype(np.float32))


def teach(teacher, paths, arguments):
    """[images × views, features]: what a teacher says of every view."""
    path, mean, deviation = teacher.split(",")
    session = onnxruntime.InferenceSession(path)
    given = session.get_inputs()[0]
    views = Views(paths, arguments.views, given.shape[2], float(mean), float(deviation))
    features = []
    for images, _ in torch.utils.data.DataLoader(views, 64, num_workers=arguments.workers):
        features.append(session.run(None, {given.name: images.numpy()})[0].astype(np.float16))
        if len(features) % 50 == 0:
            print(f"{path}: {64 * len(features)} of {len(views)} views", flush=True)
    return np.concatenate(features)


def targets(paths, arguments):
    cache = os.path.join(arguments.out, "teachers.npy")
    if not os.path.exists(cache):
        np.save(cache, np.concatenate([teach(teacher, paths, arguments) for teacher in arguments.teacher], 1))
    features = np.load(cache)
    if len(features) != len(paths) * arguments.views:
        raise SystemExit(f"{cache} is of other images or views; remove it")
    # Every feature counts alike.
    mean, deviation = (getattr(features, name)(0, dtype=np.float32) for name in ("mean", "std"))
    return ((features - mean) / (deviation + 1e-4)).astype(np.float16)


def has_amx():
    try:
        with open("/proc/cpuinfo") as file:
            return " amx_bf16 " in file.read()
    except OSError:
        return False


def train(paths, wanted, arguments):
    device = torch.device(arguments.device)
    # Convolutions want their channels side by side, on tensor cores as on AMX.
    encoder, head = Encoder().to(device, memory_format=torch.channels_last), nn.Linear(FEATURES, wanted.shape[1]).to(device)
    held = max(1, len(paths) // 20) * arguments.views
    views = Views(paths, arguments.views, SIZE, MEAN, DEVIATION, wanted)

    def loader(begin, end, shuffles):
        part = torch.utils.data.Subset(views, range(begin, end))
        return torch.utils.data.DataLoader(
            part, arguments.batch, shuffle=shuffles, drop_last=shuffles, num_workers=arguments.workers)

    batches = loader(held, len(views), True)
    parameters = [*encoder.parameters(), *head.parameters()]
    optimiser = torch.optim.AdamW(parameters, weight_decay=arguments.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, arguments.learning_rate, epochs=arguments.epochs, steps_per_epoch=len(batches), pct_start=0.1)
    done, checkpoint = 0, os.path.join(arguments.out, "checkpoint.pt")
    parts = {"encoder": encoder, "head": head, "optimiser": optimiser, "schedule": schedule}
    if os.path.exists(checkpoint):
        saved = torch.load(checkpoint, map_location=device)
        if saved["epochs"] != arguments.epochs:
            raise SystemExit(f"{checkpoint} is of a run of {saved['epochs']} epochs; remove it")
        done = saved["done"]
        for name, part in parts.items():
            part.load_state_dict(saved[name])
    for epoch in range(done + 1, arguments.epochs + 1):
        began, losses = time.perf_counter(), []
        encoder.train()
        for images, features in batches:
            images = images.to(device, memory_format=torch.channels_last)
            with torch.autocast(device.type, torch.bfloat16, enabled=arguments.bfloat16):
                loss = nn.functional.mse_loss(head(encoder(images)).float(), features.to(device))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
        encoder.eval()
        with torch.no_grad():
            errors = [((head(encoder(images.to(device))) - features.to(device)) ** 2).mean(1).cpu()
                      for images, features in loader(0, held, False)]
        print(f"epoch {epoch} of {arguments.epochs}: loss {np.mean(losses):.4f}, on held-out images "
              f"{torch.cat(errors).mean():.4f} (1 is knowing nothing), {time.perf_counter() - began:.0f} s", flush=True)
        state = {name: part.state_dict() for name, part in parts.items()}
        torch.save({**state, "done": epoch, "epochs": arguments.epochs}, checkpoint + ".new")
        os.replace(checkpoint + ".new", checkpoint)
    return encoder.to("cpu", memory_format=torch.contiguous_format).eval()


def write(encoder, arguments):
    def path(name):
        return os.path.join(arguments.out, name)

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
        "training_data": f"{len(open(arguments.split).read().split())} photographs of {os.path.basename(arguments.split)}; from a "
        f"random start, by distillation of {' and '.join(os.path.basename(t.split(',')[0]) for t in arguments.teacher)}"}
    with open(path("config.json"), "w") as file:
        json.dump(configuration, file, indent=1)
    # The decoder that import asks for.
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", required=True, help="folder of the photographs")
    parser.add_argument("--split", required=True, help="the photographs to train on, a name a line")
    parser.add_argument("--teacher", required=True, action="append", help="FILE.onnx,MEAN,DEVIATION; may be given again")
    parser.add_argument("--out", required=True)
    parser.add_argument("--views", type=int, default=8, help="of an image")
    parser.add_argument("--epochs", type=int, default=60, help="over all views")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--weight-decay", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument(
        "--bfloat16", action=argparse.BooleanOptionalAction, help="multiply in bfloat16; default: on a GPU, and on CPUs with AMX")
    arguments = parser.parse_args()
    if arguments.bfloat16 is None:
        arguments.bfloat16 = arguments.device != "cpu" or has_amx()
    torch.manual_seed(arguments.seed)
    os.makedirs(arguments.out, exist_ok=True)
    with open(arguments.split) as file:
        paths = [os.path.join(arguments.images, name) for name in file.read().split()]
    write(train(paths, targets(paths, arguments), arguments), arguments)


if __name__ == "__main__":
    main()
