#!/usr/bin/env python3
"""Fine-tunes the encoder of kaption-small on captions: it learns which words people use for a photograph.

    finetune_encoder.py --start BUNDLE --images DIR --captions FILE --split FILE --held-split FILE --out DIR

BUNDLE holds the encoder to begin with. A linear layer on its features says for each word what share of a photograph's captions has it (word detectors
from captions: Fang et al., "From Captions to Visual Concepts and Back", 2015); first that layer learns alone, then the encoder too, on a new crop of each photograph in
each epoch. 6,000 photographs are few for 5 million parameters, so the features of a crop are held near those that the encoder gave at the start.

After each epoch all is kept in DIR/checkpoint.pt, from which a run that was ended goes on (with other random numbers than an unbroken one). The epoch with
the least loss on the held-out photographs wins. In the end DIR holds what `kaption-model import` takes, as train_encoder.py's does.

Needs torch, onnx, numpy and pillow.
"""
import argparse
import collections
import json
import math
import os
import random
import re
import time

import numpy as np
import torch
from torch import nn

from encoder import FEATURES, SIZE, Encoder, add_run_options, begin, crop, restore, save, tensor, write


def load(bundle):
    """The encoder of a bundle: its convolutions, batch norm folded in, are encoder.N.weight [out, height, width, in] and encoder.N.bias, N as they are executed."""
    path = os.path.join(bundle, "weights.safetensors")
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()

    def stored(name):
        kind = {"F16": np.float16, "F32": np.float32}[header[name]["dtype"]]
        first, end = header[name]["data_offsets"]
        return torch.from_numpy(np.frombuffer(data[first:end], kind).astype(np.float32).reshape(header[name]["shape"]))

    encoder = Encoder(normalised=False)
    convolutions = [part for part in encoder.modules() if isinstance(part, nn.Conv2d)]
    numbers = sorted(int(found[1]) for found in map(re.compile(r"encoder\.(\d+)\.weight").fullmatch, header) if found)
    if len(numbers) != len(convolutions):
        raise SystemExit(f"{path} has an encoder of {len(numbers)} layers; this one has {len(convolutions)}")
    with torch.no_grad():
        for number, convolution in zip(numbers, convolutions):
            weight = stored(f"encoder.{number}.weight").permute(0, 3, 1, 2)
            if weight.shape != convolution.weight.shape:
                raise SystemExit(f"{path}: encoder.{number}.weight is {list(weight.shape)}, not {list(convolution.weight.shape)}")
            convolution.weight.copy_(weight)
            convolution.bias.copy_(stored(f"encoder.{number}.bias"))
    return encoder


def shares(path, names, held, least):
    """Of a token file (name, #, number, tab, caption), for names and for held: the share of an image's captions that have a word, [images, words].
    Words are those that names' captions have `least` times."""
    captions = collections.defaultdict(list)
    with open(path) as file:
        for line in file:
            name, text = line.rstrip("\n").split("\t")
            captions[name.split("#")[0]].append(re.findall(r"[a-z0-9][a-z0-9'-]*", text.lower()))
    counts = collections.Counter(word for name in names for caption in captions[name] for word in caption)
    columns = {word: at for at, word in enumerate(sorted(word for word, count in counts.items() if count >= least))}

    def table(images):
        result = torch.zeros(len(images), len(columns))
        for row, name in enumerate(images):
            for caption in captions[name]:
                for word in columns.keys() & set(caption):
                    result[row, columns[word]] += 1 / len(captions[name])
        return result

    return table(names), table(held)


class View(torch.utils.data.Dataset):
    """A crop of every image, of half of them flipped, or in view 0 the whole image; and the image's number."""

    def __init__(self, paths, view):
        self.paths, self.view = paths, view

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        view = 2 * self.view + random.randrange(2) if self.view else 0
        return tensor(crop(self.paths[index], view, SIZE)), index


class Tuning:
    def __init__(self, arguments):
        self.arguments, self.device = arguments, torch.device(arguments.device)
        with open(arguments.split) as file:
            self.names = file.read().split()
        with open(arguments.held_split) as file:
            self.held = file.read().split()[:arguments.held]
        self.shares, self.held_shares = shares(arguments.captions, self.names, self.held, arguments.min_count)
        self.encoder, self.start = (
            load(arguments.start).to(self.device, memory_format=torch.channels_last) for _ in range(2))
        # It begins by saying how frequent a word is.
        self.head = nn.Linear(FEATURES, self.shares.shape[1]).to(self.device)
        nn.init.zeros_(self.head.weight)
        self.head.bias.data.copy_(torch.logit(self.shares.mean(0)))

    def autocast(self):
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.arguments.bfloat16)

    def batches(self, names, view, shuffles=False):
        paths = [os.path.join(self.arguments.images, name) for name in names]
        for images, rows in torch.utils.data.DataLoader(
                View(paths, view), self.arguments.batch, shuffle=shuffles, num_workers=self.arguments.workers):
            yield images.to(self.device, memory_format=torch.channels_last), rows

    def loss(self, features, wanted):
        """Nats an image."""
        logits = self.head(nn.functional.dropout(features, self.arguments.dropout, self.head.training))
        return nn.functional.binary_cross_entropy_with_logits(logits, wanted.to(self.device), reduction="sum") / len(features)

    @torch.no_grad()
    def score(self):
        """The loss on the whole held-out images, and the mean average precision of the words that three of them have."""
        self.head.eval()
        with self.autocast():
            features = torch.cat([self.encoder(images).float() for images, _ in self.batches(self.held, 0)])
        loss, logits = self.loss(features, self.held_shares).item(), self.head(features).cpu()
        self.head.train()
        precisions = []
        for column in torch.nonzero((self.held_shares > 0).sum(0) >= 3).flatten():
            hits = (self.held_shares[:, column] > 0)[logits[:, column].argsort(descending=True)]
            precisions.append((hits.cumsum(0) / torch.arange(1, len(hits) + 1))[hits].mean())
        return loss, torch.stack(precisions).mean().item()

    def prepare(self):
        """Trains the head on features of the start; what a feature varies by, which is what its change is measured in."""
        with torch.no_grad(), self.autocast():
            parts = [(self.start(images).float(), rows) for images, rows in self.batches(self.names, 1)]
        features, rows = (torch.cat(part) for part in zip(*parts))
        optimiser = torch.optim.AdamW(self.head.parameters(), 1e-3, weight_decay=0.01)
        for _ in range(self.arguments.head_epochs):
            for some in torch.randperm(len(rows)).split(64):
                optimiser.zero_grad(set_to_none=True)
                self.loss(features[some.to(self.device)], self.shares[rows[some]]).backward()
                optimiser.step()
        print("at the start: on held-out images loss %.3f, precision of words %.4f" % self.score(), flush=True)
        return features.std(0) + 1e-2

    def epoch(self, number, scale, optimiser, schedule):
        """Mean loss, and mean change of the features in squared deviations."""
        losses, changes = [], []
        for images, rows in self.batches(self.names, number + 1, True):
            with self.autocast():
                features = self.encoder(images).float()
                with torch.no_grad():
                    wanted = self.start(images).float()
            change = (((features - wanted) / scale) ** 2).mean()
            loss = self.loss(features, self.shares[rows])
            optimiser.zero_grad(set_to_none=True)
            (loss + self.arguments.anchor * change).backward()
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
            changes.append(change.item())
        return np.mean(losses), np.mean(changes)

    def train(self):
        arguments = self.arguments
        optimiser = torch.optim.AdamW([
            {"params": list(self.encoder.parameters()), "lr": arguments.learning_rate},
            {"params": list(self.head.parameters()), "lr": arguments.head_learning_rate}], weight_decay=0.01)
        steps = arguments.epochs * -(-len(self.names) // arguments.batch)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: min(1, 10 * (step + 1) / steps) * 0.5 * (1 + math.cos(math.pi * step / steps)))
        parts = {"encoder": self.encoder, "head": self.head, "optimiser": optimiser, "schedule": schedule}
        state = restore(parts, arguments) or {
            "epochs": arguments.epochs, "done": 0, "least": math.inf, "scale": self.prepare()}
        for number in range(state["done"] + 1, arguments.epochs + 1):
            began = time.perf_counter()
            loss, change = self.epoch(number, state["scale"], optimiser, schedule)
            held, precision = self.score()
            print(f"epoch {number} of {arguments.epochs}: loss {loss:.3f}, features changed by {change:.4f}; on held-out images loss {held:.3f}, "
                  f"precision of words {precision:.4f}; {time.perf_counter() - began:.0f} s", flush=True)
            state["done"] = number
            if held < state["least"]:
                state.update(least=held, best={name: value.clone() for name, value in self.encoder.state_dict().items()})
            save(state, parts, arguments)
        self.encoder.load_state_dict(state["best"])
        return self.encoder.to("cpu", memory_format=torch.contiguous_format).eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", required=True, help="bundle whose encoder to begin with")
    parser.add_argument("--images", required=True, help="folder of the photographs")
    parser.add_argument("--captions", required=True, help="their captions, a token file")
    parser.add_argument("--split", required=True, help="the photographs to train on, a name a line")
    parser.add_argument("--held-split", required=True, help="the photographs to choose the epoch with, a name a line")
    parser.add_argument("--held", type=int, default=500, help="only the first so many of them")
    parser.add_argument("--head-epochs", type=int, default=30, help="of the words' layer alone")
    parser.add_argument("--epochs", type=int, default=8, help="of both")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=1e-4, help="of the encoder")
    parser.add_argument("--head-learning-rate", type=float, default=1e-3)
    parser.add_argument("--dropout", type=float, default=0.5, help="of features")
    parser.add_argument("--anchor", type=float, default=10, help="weight of the change of features")
    parser.add_argument("--min-count", type=int, default=5, help="of a word in the captions")
    add_run_options(parser)
    arguments = parser.parse_args()
    begin(arguments)
    with open(os.path.join(arguments.start, "model.json")) as file:
        before = json.load(file)
    tuning = Tuning(arguments)
    write(tuning.train(), arguments.out,
          f"the encoder of {before['name']} {before['version']}, fine-tuned on the words in the captions of {len(tuning.names)} photographs of "
          f"{os.path.basename(arguments.split)}; before that: {before.get('training_data', 'unknown')}")


if __name__ == "__main__":
    main()
