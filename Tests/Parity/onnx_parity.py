"""Agreement of imported encoders with ONNX Runtime.

Builds torchvision's networks with random weights, exports each with both of PyTorch's exporters, imports the files with
`kaption-model import`, runs `kaption-model encode` and ONNX Runtime on the same noise at batch 1 and 5, and compares:
max|a - b| / max|b| must stay below 1e-4. Run it with scripts/parity.sh, which makes the virtual environment that it needs.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy
import onnxruntime
import torch

import networks

LIMIT = 1e-4


def write_safetensors(path, tensors):
    """The format needs no library: a length, a JSON header, the bytes."""
    header, position = {}, 0
    for name, tensor in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [position, position + tensor.nbytes]}
        position += tensor.nbytes
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for tensor in tensors.values():
            file.write(tensor.tobytes())


def write_companions(folder, size, features):
    """A decoder, a vocabulary and a configuration that fit an encoder of so many features."""
    words, width = ["<pad>", "<start>", "<end>", "<unk>", "a"], 8
    shapes = {
        "image.weight": (width, features), "image.bias": (width,), "embedding.weight": (len(words), width),
        "lstm.weight_ih_l0": (4 * width, width), "lstm.weight_hh_l0": (4 * width, width),
        "lstm.bias_ih_l0": (4 * width,), "lstm.bias_hh_l0": (4 * width,),
        "output.weight": (len(words), width), "output.bias": (len(words),),
    }
    write_safetensors(
        folder / "decoder.safetensors", {name: numpy.zeros(shape, numpy.float32) for name, shape in shapes.items()})
    (folder / "vocabulary.txt").write_text("\n".join(words) + "\n")
    (folder / "config.json").write_text(json.dumps({
        "name": "parity",
        "encoder": {"input": "image", "output": "features", "width": size, "height": size, "normalization": "tf"},
        "decoder": {"kind": "show-and-tell", "embedding_size": width, "hidden_size": width}}))


def compare(tool, folder, model, size, onnx):
    """Worst relative difference and cosine of the batches, by batch size."""
    session = onnxruntime.InferenceSession(str(onnx), providers=["CPUExecutionProvider"])
    noise = numpy.random.default_rng(1).standard_normal((5, 3, size, size), numpy.float32)
    features = session.run(None, {"image": noise[:1]})[0].shape[1]
    write_companions(folder, size, features)
    bundle = folder / "bundle"
    subprocess.run(
        [tool, "import", "--encoder", onnx, "--decoder", folder / "decoder.safetensors", "--vocabulary",
         folder / "vocabulary.txt", "--config", folder / "config.json", "--output", bundle, "--force"],
        check=True, stdout=subprocess.DEVNULL)
    results = []
    for batch in (1, 5):
        (folder / "input.f32").write_bytes(noise[:batch].tobytes())
        subprocess.run(
            [tool, "encode", "--model", bundle, "--input", folder / "input.f32", "--output", folder / "output.f32"],
            check=True, stdout=subprocess.DEVNULL)
        ours = numpy.fromfile(folder / "output.f32", numpy.float32).reshape(batch, features)
        theirs = session.run(None, {"image": noise[:batch]})[0]
        difference = float(numpy.abs(ours - theirs).max() / numpy.abs(theirs).max())
        cosine = float((ours * theirs).sum() / numpy.sqrt((ours**2).sum() * (theirs**2).sum()))
        if not numpy.isfinite(ours).all():
            difference = float("inf")
        results.append((difference, cosine))
    return features, results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True, type=pathlib.Path, help="the kaption-model program")
    parser.add_argument("--keep", type=pathlib.Path, help="keep exported networks here, and use those that are there")
    parser.add_argument("--networks", nargs="*", default=list(networks.NETWORKS), choices=list(networks.NETWORKS))
    arguments = parser.parse_args()
    tool = arguments.tool.resolve()
    torch.set_num_threads(2)
    failures = 0
    print("| network | exporter | features | batch 1: max rel. | batch 5: max rel. | cosine | |")
    print("|---|---|---|---|---|---|---|")
    for name in arguments.networks:
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary)
            store = arguments.keep or folder
            store.mkdir(parents=True, exist_ok=True)
            model = None
            for exporter in ("torchscript", "dynamo"):
                size = networks.NETWORKS[name][1]
                onnx = store / f"{name}-{exporter}.onnx"
                if not onnx.exists():
                    model = model or networks.build(name)[0]
                    networks.export(model, size, onnx, exporter == "dynamo")
                try:
                    features, results = compare(tool, folder, model, size, onnx)
                except subprocess.CalledProcessError as error:
                    failures += 1
                    print(f"| {name} | {exporter} | | | | | refused: exit code {error.returncode} |", flush=True)
                    continue
                passes = all(difference <= LIMIT for difference, _ in results)
                failures += not passes
                cells = " | ".join(f"{difference:.1e}" for difference, _ in results)
                cosine = min(cosine for _, cosine in results)
                print(f"| {name} | {exporter} | {features} | {cells} | {cosine:.9f} | {'agrees' if passes else 'DIFFERS'} |",
                      flush=True)
    print(f"{failures} failures" if failures else "all agree")
    return 1 if failures else 0


if __name__ == "__main__":
    started = time.time()
    code = main()
    print(f"{time.time() - started:.0f} s", file=sys.stderr)
    sys.exit(code)
