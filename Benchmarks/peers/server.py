"""One peer, kept alive between measurements: reads a request a line, answers a line of JSON. `InferenceBenchmark serve` speaks the same.

    {"task": "encoder", "onnx": FILE, "batch": 8, "seconds": 1}
    {"task": "decoder", "folder": DIR, "batch": 8, "seconds": 1}    captions end by themselves if the folder is of a trained model
    {"task": "image", "file": FILE, "resize": "short-side-crop", "seconds": 1}
"""
import json
import pathlib
import statistics
import sys
import time

import numpy

import pictures
import runtimes


def measure(seconds, images, body):
    """Milliseconds an image: the median of repetitions within so many seconds, at least three, after one to warm up."""
    body()
    times, start = [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        result = body()
        times.append((time.perf_counter() - before) * 1e3 / images)
    return {"median": statistics.median(times), "fastest": min(times)}, result


class Server:
    def __init__(self, stack, precision):
        self.runtime = runtimes.RUNTIMES[stack](precision) if stack in runtimes.RUNTIMES else None
        self.reader = pictures.READERS[stack]() if stack in pictures.READERS else None
        self.loaded = {}

    def once(self, key, make):
        if key not in self.loaded:
            self.loaded = {key: make()}
        return self.loaded[key]

    def answer(self, request):
        seconds, batch = request["seconds"], request.get("batch", 1)
        if request["task"] == "encoder":
            run, name, size = self.once((request["onnx"], batch), lambda: self.load_encoder(request["onnx"], batch))
            noise = numpy.random.default_rng(0).standard_normal((batch, 3, size, size), numpy.float32)
            if self.runtime.channels_last:
                noise = noise.transpose(0, 2, 3, 1).copy()
            return measure(seconds, batch, lambda: run({name: noise}))[0]
        if request["task"] == "decoder":
            folder = pathlib.Path(request["folder"])
            decoder = self.once(
                (folder, batch), lambda: runtimes.Decoder(self.runtime, folder, batch))
            width = decoder.feature_size
            features = numpy.fromfile(folder / "features.f32", numpy.float32).reshape(-1, width)[:batch]
            times, captions = measure(seconds, batch, lambda: decoder.caption(features))
            vocabulary = (folder / "vocabulary.txt").read_text().splitlines()
            return {**times, "captions": [" ".join(vocabulary[word] for word in caption) for caption in captions]}
        data = pathlib.Path(request["file"]).read_bytes()
        return measure(seconds, 1, lambda: self.reader.read(data, request.get("resize", "stretch")))[0]

    def load_encoder(self, path, batch):
        import onnx
        value = onnx.load(path, load_external_data=False).graph.input[0]
        size = value.type.tensor_type.shape.dim[2].dim_value
        return self.runtime.load(path, {value.name: [batch, 3, size, size]}), value.name, size


def main():
    server = Server(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "fp32")
    for line in sys.stdin:
        try:
            answer = server.answer(json.loads(line))
        except Exception as error:  # the driver says which peer failed, and goes on with the others
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
