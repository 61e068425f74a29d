#!/usr/bin/env python3
"""Writes training_golden.json: what PyTorch makes of a tiny Show and Tell decoder in 20 steps of Adam, without dropout: weights to begin with,
batches, losses, the first step's gradients and the last weights. Needs torch:

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install torch && /tmp/venv/bin/python Tests/Tools/make_training_golden.py
"""
import json
import os

import torch
import torch.nn.functional as F

FEATURES, EMBEDDING, HIDDEN, WORDS, IMAGES, BATCH, STEPS = 5, 6, 7, 19, 8, 4, 20
START, END, SMOOTHING, RATE, CLIP = 1, 2, 0.1, 0.01, 0.5
NAMES = ["image.weight", "image.bias", "lstm.weight_ih_l0", "lstm.weight_hh_l0", "lstm.bias_ih_l0", "lstm.bias_hh_l0",
         "output.weight", "output.bias", "embedding.weight"]


class Decoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.image = torch.nn.Linear(FEATURES, EMBEDDING)
        self.embedding = torch.nn.Embedding(WORDS, EMBEDDING)
        self.lstm = torch.nn.LSTM(EMBEDDING, HIDDEN)
        self.output = torch.nn.Linear(HIDDEN, WORDS)

    def forward(self, features, words):
        inputs = torch.cat([self.image(features).unsqueeze(0), self.embedding(words)])
        return self.output(self.lstm(inputs)[0][1:])


def flat(tensor):
    return [float(f"{value:.9g}") for value in tensor.detach().flatten().tolist()]


torch.manual_seed(7)
torch.set_num_threads(1)
model = Decoder()
features = torch.randn(IMAGES, FEATURES)
parameters = dict(model.named_parameters())
golden = {"features": flat(features), "sizes": [FEATURES, EMBEDDING, HIDDEN, WORDS, IMAGES],
          "smoothing": SMOOTHING, "rate": RATE, "clip": CLIP,
          "weights": {name: flat(parameters[name]) for name in NAMES}, "batches": [], "losses": [], "norms": []}
optimiser = torch.optim.Adam(model.parameters(), lr=RATE)
generator = torch.Generator().manual_seed(8)
for step in range(STEPS):
    captions = []
    for _ in range(BATCH):
        length = int(torch.randint(1, 7, (1,), generator=generator))
        captions.append({"image": int(torch.randint(IMAGES, (1,), generator=generator)),
                         "words": torch.randint(3, WORDS, (length,), generator=generator).tolist()})
    golden["batches"].append(captions)
    longest = max(len(caption["words"]) for caption in captions) + 1
    inputs = torch.zeros(longest, BATCH, dtype=torch.long)
    targets = torch.full((longest, BATCH), -100)
    inputs[0] = START
    for column, caption in enumerate(captions):
        words = torch.tensor(caption["words"])
        inputs[1:len(words) + 1, column] = words
        targets[:len(words), column] = words
        targets[len(words), column] = END
    logits = model(features[[caption["image"] for caption in captions]], inputs)
    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), label_smoothing=SMOOTHING)
    optimiser.zero_grad()
    loss.backward()
    if step == 0:
        golden["gradients"] = {name: flat(parameters[name].grad) for name in NAMES}
    golden["norms"].append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)))
    golden["losses"].append(float(loss))
    optimiser.step()
golden["final"] = {name: flat(parameters[name]) for name in NAMES}
with open(os.path.join(os.path.dirname(__file__), "training_golden.json"), "w") as file:
    json.dump(golden, file)
    file.write("\n")
