"""Kaption beside its peers on one core, in alternating runs, in each precision; writes a Markdown table.

Every stack stays loaded in a process of its own, pinned to the same core; in each round each is asked for one measurement after the
other, in turning order, so that what the machine does meanwhile falls on all alike. A ratio is that of the medians over the rounds; the
range is that of the ratios within a round.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PEERS = {"fp32": ["onnxruntime", "openvino"], "bf16": ["openvino"], "int8": ["onnxruntime", "openvino"]}
# Of encoders that prepare_litert.py has made.
LITERT = {"fp32", "int8"}


class Stack:
    def __init__(self, name, command, core):
        self.name = name
        environment = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
        self.process = subprocess.Popen(
            ["taskset", "-c", str(core), *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} has ended")
        answer = json.loads(line)
        if "error" in answer:
            raise SystemExit(f"{self.name}: {answer['error']}")
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def rounds(stacks, count, request):
    """Answers by stack. The order turns with the round. Each is asked once before: it loads what is measured then, and none still starts
    beside another that is measured."""
    for stack in stacks:
        stack.ask(**{**request(stack), "seconds": 0})
    answers = {stack.name: [] for stack in stacks}
    for turn in range(count):
        for stack in stacks[turn % len(stacks):] + stacks[:turn % len(stacks)]:
            answers[stack.name].append(stack.ask(**request(stack)))
    return answers


def row(label, answers, operations=None, peak=None):
    """One line: milliseconds of each, and our ratio to the best peer."""
    medians = {name: statistics.median(one["median"] for one in list_) for name, list_ in answers.items()}
    peers = [name for name in medians if name != "kaption"]
    best = min(peers, key=medians.get)
    ratios = [b["median"] / a["median"] for a, b in zip(answers["kaption"], answers[best])]
    cells = [label]
    for name in ["kaption", *peers]:
        list_ = [one["median"] for one in answers[name]]
        cells.append(f"{name} {medians[name]:.2f} ({min(list_):.2f}–{max(list_):.2f})")
    cells += [""] * (3 - len(peers))
    cells.append(f"{medians[best] / medians['kaption']:.2f} ({min(ratios):.2f}–{max(ratios):.2f}) of {best}")
    cells.append(f"{100 * operations / medians['kaption'] / 1e6 / peak:.0f}%" if operations and peak else "")
    print("| " + " | ".join(cells) + " |", flush=True)
    return medians


def same_captions(answers):
    captions = {name: list_[0]["captions"] for name, list_ in answers.items()}
    for name, peer in captions.items():
        same = sum(a == b for a, b in zip(captions["kaption"], peer))
        if same < len(peer):
            print(f"captions differ from those of {name}: {same} of {len(peer)} equal", file=sys.stderr)


def peer(name, precision, core):
    return Stack(name, [sys.executable, str(HERE / "server.py"), name, precision], core)


def compare_precision(arguments, folder, ours, precision, timing):
    peak = max(ours.ask(task="peak", precision=precision)["gigaflops"] for _ in range(3))
    print(f"| *{precision}, peak {peak:.0f} Goperations/s* | | | | | | |")
    peers = [peer(name, precision, arguments.core) for name in PEERS[precision]]
    stacks = [ours, *peers]
    suffix = "-int8" if precision == "int8" else ""
    folders = [
        path.parent for pattern in ("*/encoder.onnx", "others/*/encoder.onnx")
        for path in sorted(folder.glob(pattern), key=lambda path: path.stat().st_size)
        if (arguments.networks is None or path.parent.name in arguments.networks) and not path.parent.name.startswith("trained-")]
    if "encoder" in arguments.stages:
        for network in folders:
            request = lambda stack: {
                "task": "encoder", "precision": precision, "batch": 1, "onnx": str(network / f"encoder{suffix}.onnx"),
                "bundle": str(network / f"bundle{suffix}"), **timing}
            has_litert = precision in LITERT and (network / f"encoder{suffix}.tflite").exists()
            beside = [peer("litert", precision, arguments.core)] if has_litert else []
            answers = rounds(stacks + beside, arguments.rounds, request)
            for stack in beside:
                stack.close()
            row(f"{network.name}, {precision}", answers, answers["kaption"][0]["operations"], peak)
    if "decoder" in arguments.stages:
        # OpenVINO is given no graph of the decoder in int8; its fastest there is bf16.
        beside = [*peers]
        if precision == "int8":
            beside = [stack for stack in peers if stack.name != "openvino"] + [peer("openvino", "bf16", arguments.core)]
        # Trained models have no calibration, and no quantised graph.
        trained = [path.parent for path in sorted(folder.glob("trained-*/features.f32")) if precision != "int8"]
        for path in sorted(folder.glob("decoder-*"), key=lambda path: int(path.name.split("-")[1])) + trained:
            for batch in (1, 8):
                request = lambda stack: {
                    "task": "decoder", "precision": precision, "folder": str(path), "bundle": str(path / "bundle"),
                    "batch": batch, **timing}
                answers = rounds([ours, *beside], arguments.rounds, request)
                # How many steps a trained model takes is not counted.
                operations = None if path in trained else answers["kaption"][0]["operations"]
                row(f"{path.name}, batch {batch}, {precision}", answers, operations, peak)
                if precision != "int8":
                    same_captions(answers)
        for stack in beside:
            if stack not in peers:
                stack.close()
    for stack in peers:
        stack.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, help="what prepare.py made")
    parser.add_argument("--benchmark", required=True, help="the InferenceBenchmark program")
    parser.add_argument("--core", type=int, default=os.cpu_count() - 1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.6, help="of one measurement")
    parser.add_argument("--stages", nargs="*", default=["encoder", "decoder", "image"], choices=["encoder", "decoder", "image"])
    parser.add_argument("--networks", nargs="*", help="of those in the folder (all)")
    parser.add_argument("--precisions", nargs="*", default=["fp32", "bf16", "int8"], choices=["fp32", "bf16", "int8"])
    parser.add_argument("--photograph", action="append", default=[], help="a JPEG to read beside the drawn ones")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    ours = Stack("kaption", [arguments.benchmark, "serve"], arguments.core)
    timing = {"seconds": arguments.seconds}

    print(f"milliseconds an image, median (range) of {arguments.rounds} rounds; peaks are those of one core on registers alone\n")
    print("| what | ours | peers | | | ours is faster by | of the peak |\n|---|---|---|---|---|---|---|")
    for precision in arguments.precisions:
        if {"encoder", "decoder"} & set(arguments.stages):
            compare_precision(arguments, folder, ours, precision, timing)
    if "image" in arguments.stages:
        stacks = [ours, peer("torchvision", "", arguments.core), peer("pillow", "", arguments.core)]
        files = sorted(folder.glob("pictures/*.jpg"), key=lambda path: path.stat().st_size)
        for path in files + [pathlib.Path(name).resolve() for name in arguments.photograph]:
            for resize, name in (("stretch", "stretched"), ("short-side-crop", "cropped")):
                request = lambda stack: {"task": "image", "file": str(path), "resize": resize, **timing}
                row(f"JPEG {path.name}, {name}", rounds(stacks, arguments.rounds, request))
        for stack in stacks[1:]:
            stack.close()
    ours.close()


if __name__ == "__main__":
    main()
