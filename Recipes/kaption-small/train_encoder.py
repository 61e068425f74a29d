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
import os
import time

import numpy as np
import onnxruntime
import torch
from torch import nn

from encoder import (
    DEVIATION, FEATURES, MEAN, SIZE, Encoder, add_run_options, begin, crop, restore, save, tensor, write)


class Views(torch.utils.data.Dataset):
    """Every view of every image: pixels [3, size, size] and, where they are known, the teachers' features."""

    def __init__(self, paths, views, size, mean, deviation, targets=None):
        self.paths, self.views, self.size, self.targets = paths, views, size, targets
        self.mean, self.deviation = mean, deviation

    def __len__(self):
        return len(self.paths) * self.views

    def __getitem__(self, index):
        pixels = crop(self.paths[index // self.views], index % self.views, self.size)
        image = tensor(pixels, self.mean, self.deviation)
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
    parts = {"encoder": encoder, "head": head, "optimiser": optimiser, "schedule": schedule}
    state = restore(parts, arguments) or {"epochs": arguments.epochs, "done": 0}
    for epoch in range(state["done"] + 1, arguments.epochs + 1):
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
        state["done"] = epoch
        save(state, parts, arguments)
    return encoder.to("cpu", memory_format=torch.contiguous_format).eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", required=True, help="folder of the photographs")
    parser.add_argument("--split", required=True, help="the photographs to train on, a name a line")
    parser.add_argument("--teacher", required=True, action="append", help="FILE.onnx,MEAN,DEVIATION; may be given again")
    parser.add_argument("--views", type=int, default=8, help="of an image")
    parser.add_argument("--epochs", type=int, default=60, help="over all views")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--weight-decay", type=float, default=0.05)
    add_run_options(parser)
    arguments = parser.parse_args()
    begin(arguments)
    with open(arguments.split) as file:
        paths = [os.path.join(arguments.images, name) for name in file.read().split()]
    teachers = " and ".join(os.path.basename(teacher.split(",")[0]) for teacher in arguments.teacher)
    write(train(paths, targets(paths, arguments), arguments), arguments.out,
          f"{len(paths)} photographs of {os.path.basename(arguments.split)}; from a random start, by distillation of {teachers}")


if __name__ == "__main__":
    main()
