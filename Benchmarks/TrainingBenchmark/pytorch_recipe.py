#!/usr/bin/env python3
"""The recipe of `kaption-model train` in PyTorch: the peer that ours is compared with, in quality and in speed.

    pytorch_recipe.py train --data DIR --out DIR --seed 1      weights of every epoch as safetensors
    pytorch_recipe.py time --data DIR [--compile]              seconds of an epoch over the batches of DIR

DIR is what `TrainingBenchmark prepare` writes: features.f32 (images × copies × features), captions.txt (a line a caption: number of
its image, then token ids), sizes.json, and batches.txt (a line a batch: numbers of captions).
"""
import argparse
import json
import math
import os
import random
import resource
import time

import numpy as np
import torch
import torch.nn.functional as F

PAD, START, END = 0, 1, 2


class Decoder(torch.nn.Module):
    """Show and Tell. Tensors are named as in a bundle."""

    def __init__(self, sizes, embedding=512, hidden=512, dropout=0.5):
        super().__init__()
        self.image = torch.nn.Linear(sizes["features"], embedding)
        self.embedding = torch.nn.Embedding(sizes["words"], embedding)
        self.lstm = torch.nn.LSTM(embedding, hidden)
        self.output = torch.nn.Linear(hidden, sizes["words"])
        self.dropout = dropout
        with torch.no_grad():
            self.embedding.weight.uniform_(-0.1, 0.1)
            self.output.weight.uniform_(-0.1, 0.1)
            for bias in (self.image.bias, self.output.bias, self.lstm.bias_ih_l0, self.lstm.bias_hh_l0):
                bias.zero_()
            self.lstm.bias_ih_l0[hidden:2 * hidden] = 1

    def forward(self, features, words):
        """features [B, F], words [T, B], the first row of which is <start>; logits [T, B, V]."""
        # A word's mask is the same all over a batch, so that ours needs each word's input product once.
        embedding = F.dropout(self.embedding.weight, self.dropout, self.training)
        image = F.dropout(self.image(features), self.dropout, self.training)
        inputs = torch.cat([image.unsqueeze(0), F.embedding(words, embedding)])
        hidden, _ = self.lstm(inputs)
        return self.output(F.dropout(hidden[1:], self.dropout, self.training))


class Data:
    def __init__(self, folder):
        with open(os.path.join(folder, "sizes.json")) as file:
            self.sizes = json.load(file)
        features = np.fromfile(os.path.join(folder, "features.f32"), dtype="<f4")
        self.features = torch.from_numpy(features.reshape(-1, self.sizes["copies"], self.sizes["features"]))
        self.captions = []
        with open(os.path.join(folder, "captions.txt")) as file:
            for line in file:
                image, *ids = map(int, line.split())
                self.captions.append((image, ids))
        self.folder = folder

    def grouped(self, size, generator):
        """Batches of captions of (nearly) one length, in random order."""
        order = list(range(len(self.captions)))
        generator.shuffle(order)
        order.sort(key=lambda caption: len(self.captions[caption][1]))
        batches = [order[at:at + size] for at in range(0, len(order), size)]
        generator.shuffle(batches)
        return batches

    def fixed(self):
        with open(os.path.join(self.folder, "batches.txt")) as file:
            return [list(map(int, line.split())) for line in file]

    def tensors(self, batch, generator):
        captions = [self.captions[caption] for caption in batch]
        longest = max(len(ids) for _, ids in captions)
        inputs = torch.full((longest + 1, len(captions)), PAD)
        targets = torch.full((longest + 1, len(captions)), -100)
        inputs[0] = START
        for column, (_, ids) in enumerate(captions):
            words = torch.tensor(ids)
            inputs[1:len(ids) + 1, column] = words
            targets[:len(ids), column] = words
            targets[len(ids), column] = END
        copies = [generator.randrange(self.sizes["copies"]) for _ in captions]
        features = self.features[[image for image, _ in captions], copies]
        return features, inputs, targets


def one_cycle(step, steps, peak, warmup=0.2, divisor=25.0, final=1e4):
    """PyTorch's OneCycleLR with cosine annealing."""
    up = warmup * steps - 1
    low, last = peak / divisor, peak / divisor / final
    if step <= up:
        return peak + (low - peak) * (1 + math.cos(math.pi * step / up)) / 2
    share = (step - up) / (steps - 1 - up)
    return last + (peak - last) * (1 + math.cos(math.pi * share)) / 2


def train_step(model, optimiser, tensors, smoothing, clip):
    features, inputs, targets = tensors
    logits = model(features, inputs)
    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), label_smoothing=smoothing)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimiser.step()
    return loss.detach()


def save(model, path):
    header, blobs, at = {}, [], 0
    for name, tensor in sorted(model.state_dict().items()):
        blob = tensor.numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for blob in blobs:
            file.write(blob)


def train(arguments):
    torch.manual_seed(arguments.seed)
    generator = random.Random(arguments.seed)
    data = Data(arguments.data)
    model = Decoder(data.sizes, dropout=arguments.dropout)
    optimiser = torch.optim.Adam(model.parameters(), lr=0, fused=True)
    os.makedirs(arguments.out, exist_ok=True)
    step, steps = 0, arguments.epochs * math.ceil(len(data.captions) / arguments.batch)
    for epoch in range(1, arguments.epochs + 1):
        began, losses = time.perf_counter(), []
        for batch in data.grouped(arguments.batch, generator):
            optimiser.param_groups[0]["lr"] = one_cycle(step, steps, arguments.learning_rate)
            tensors = data.tensors(batch, generator)
            losses.append(train_step(model, optimiser, tensors, arguments.smoothing, arguments.clip).item())
            step += 1
        print(f"seed {arguments.seed} epoch {epoch} loss {sum(losses) / len(losses):.4f} "
              f"seconds {time.perf_counter() - began:.1f}", flush=True)
        save(model, os.path.join(arguments.out, f"epoch-{epoch:02}.safetensors"))


def time_epoch(arguments):
    torch.manual_seed(1)
    data = Data(arguments.data)
    model = Decoder(data.sizes, dropout=arguments.dropout)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    generator = random.Random(1)
    tensors = [data.tensors(batch, generator) for batch in data.fixed()][:arguments.batches]
    step = train_step
    if arguments.compile:
        model = torch.compile(model, dynamic=True)
    for sample in (tensors[:3] + tensors[-3:]) * 2:  # warm up, and compile
        step(model, optimiser, sample, arguments.smoothing, arguments.clip)
    words = sum((sample[2] >= 0).sum().item() for sample in tensors)
    began = time.perf_counter()
    for sample in tensors:
        step(model, optimiser, sample, arguments.smoothing, arguments.clip)
    seconds = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    kind = "compiled" if arguments.compile else "eager"
    print(json.dumps({"peer": f"PyTorch {torch.__version__} {kind}", "threads": torch.get_num_threads(),
                      "words": words, "seconds": round(seconds, 2), "peak_mib": round(memory)}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["train", "time"])
    parser.add_argument("--data", required=True)
    parser.add_argument("--out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--batches", type=int, help="time: only the first so many")
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--dropout", type=float, default=0.5)
    parser.add_argument("--smoothing", type=float, default=0.1)
    parser.add_argument("--clip", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--compile", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    if arguments.mode == "train":
        if arguments.out is None:
            parser.error("train needs --out")
        train(arguments)
    else:
        time_epoch(arguments)


if __name__ == "__main__":
    main()
