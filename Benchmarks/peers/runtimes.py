"""ONNX Runtime, OpenVINO and LiteRT on one core, at their best settings: full graph optimisation, one thread, no spinning, and for OpenVINO shapes
fixed at compilation, a latency hint and no pinning of its own (it is pinned from outside). For int8 they are given a quantised graph
(prepare.py), of which OpenVINO may do what is left in floats in bf16; a quantised step of the decoder is ONNX Runtime's alone."""
import json
import pathlib

import numpy
import onnx


class OnnxRuntime:
    channels_last = False

    def __init__(self, precision="fp32"):
        import onnxruntime
        if precision == "bf16":
            raise ValueError("ONNX Runtime computes no bf16 on CPUs")
        self.step = "step-int8.onnx" if precision == "int8" else "step.onnx"
        self.library = onnxruntime
        self.options = onnxruntime.SessionOptions()
        self.options.log_severity_level = 3
        self.options.intra_op_num_threads = 1
        self.options.inter_op_num_threads = 1
        self.options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL

    def load(self, path, shapes=None):
        """A function from a dictionary of arrays to the list of outputs."""
        session = self.library.InferenceSession(str(path), self.options, providers=["CPUExecutionProvider"])
        return lambda inputs: session.run(None, inputs)


class OpenVino:
    channels_last = False

    def __init__(self, precision="fp32"):
        import openvino
        self.step = "step.onnx"
        self.library = openvino
        self.core = openvino.Core()
        self.settings = {
            "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY", "ENABLE_CPU_PINNING": False,
            "INFERENCE_PRECISION_HINT": "f32" if precision == "fp32" else "bf16"}

    def load(self, path, shapes=None):
        model = self.core.read_model(str(path))
        if shapes:
            model.reshape(shapes)
        request = self.core.compile_model(model, "CPU", self.settings).create_infer_request()

        def run(inputs):
            results = request.infer(inputs, share_inputs=True)
            return [numpy.array(results[index]) for index in range(len(results))]
        return run


class LiteRT:
    """TensorFlow Lite with XNNPACK, for encoders alone: the network of the same name that prepare_litert.py made, beside the ONNX file."""
    channels_last = True

    def __init__(self, precision="fp32"):
        if precision == "bf16":
            raise ValueError("LiteRT is not measured in bf16")

    def load(self, path, shapes=None):
        from ai_edge_litert.interpreter import Interpreter
        interpreter = Interpreter(str(pathlib.Path(path).with_suffix(".tflite")), num_threads=1)
        interpreter.allocate_tensors()
        given, result = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

        def run(inputs):
            (pixels,) = inputs.values()
            interpreter.set_tensor(given, pixels)
            interpreter.invoke()
            return [interpreter.get_tensor(result)]
        return run


RUNTIMES = {"onnxruntime": OnnxRuntime, "openvino": OpenVino, "litert": LiteRT}


class Decoder:
    """Beam search over the graphs of stepgraph.py. Captions of a trained model end by themselves, others take all their steps."""

    def __init__(self, runtime, folder, images, beam=3, start=1, width=512):
        rows, step = images * beam, folder / runtime.step
        self.feature_size = onnx.load(folder / "first.onnx", load_external_data=False).graph.input[0].type.tensor_type.shape.dim[1].dim_value
        self.first = runtime.load(folder / "first.onnx", {"feature": [images, -1]})
        shapes = lambda new, old: {"word": [new], "parent": [new], "hidden": [old, width], "cell": [old, width]}
        self.begin = runtime.load(step, shapes(images, images))
        self.widen = runtime.load(step, shapes(rows, images))
        self.step = runtime.load(step, shapes(rows, rows))
        self.images, self.beam, self.start = images, beam, start
        self.configuration = json.loads((folder / "config.json").read_text())["encoder"]

    @property
    def is_trained(self):
        """Only a trained model says by which numbers pixels are normalised (prepare.py)."""
        return "mean" in self.configuration

    def caption(self, features):
        """The best caption's words of each image."""
        return self.decode_until_end(features) if self.is_trained else self.decode(features)

    def grow(self, found, found_words, scores, history):
        """The beams that go on, of those found from each live one: their scores, words, histories, and which they come from."""
        total = (found.reshape(*scores.shape, self.beam) + scores[:, :, None]).reshape(self.images, -1)
        order = numpy.argsort(-total, axis=1, kind="stable")[:, :self.beam]
        scores = numpy.take_along_axis(total, order, 1)
        words = numpy.take_along_axis(found_words.reshape(self.images, -1), order, 1)
        beams = order // self.beam
        history = numpy.concatenate([numpy.take_along_axis(history, beams[:, :, None], 1), words[:, :, None]], axis=2)
        return scores, words, history, beams

    def decode(self, features, steps=20):
        """With forced steps."""
        images, beam = self.images, self.beam
        hidden, cell = self.first({"feature": features})
        word = numpy.full(images, self.start, numpy.int64)
        scores, words, hidden, cell = self.begin(
            {"word": word, "parent": numpy.arange(images), "hidden": hidden, "cell": cell})
        history = words.reshape(images, beam, 1)
        parent = numpy.repeat(numpy.arange(images), beam)
        base = numpy.arange(images)[:, None] * beam
        run = self.widen
        for _ in range(steps - 1):
            best, best_words, hidden, cell = run(
                {"word": words.reshape(-1), "parent": parent, "hidden": hidden, "cell": cell})
            scores, words, history, beams = self.grow(best, best_words, scores, history)
            parent = (base + beams).reshape(-1)
            run = self.step
        return history[:, 0]

    def decode_until_end(self, features, end=2, steps=20, alpha=1.0):
        """By Kaption's rule (ARCHITECTURE.md): of the best words of all live beams those that end
        leave; an image is done when as many as there are beams have left, or none is live. The batch goes on until all its images are done."""
        images, beam = self.images, self.beam
        hidden, cell = self.first({"feature": features})
        parent, base = numpy.arange(images), numpy.arange(images)[:, None] * beam
        words = numpy.full((images, 1), self.start, numpy.int64)
        scores, history = numpy.zeros((images, 1), numpy.float32), numpy.zeros((images, 1, 0), numpy.int64)
        best, captions, ended = numpy.full(images, -numpy.inf), [[]] * images, numpy.zeros(images, numpy.int64)
        for step in range(steps):
            run = self.begin if step == 0 else self.widen if step == 1 else self.step
            found, found_words, hidden, cell = run(
                {"word": words.reshape(-1), "parent": parent, "hidden": hidden, "cell": cell})
            scores, words, history, beams = self.grow(found, found_words, scores, history)
            leaving = (words == end) & (scores > -numpy.inf)
            for image, place in numpy.argwhere(leaving):
                score = scores[image, place] / (step + 1) ** alpha
                if score > best[image]:
                    best[image], captions[image] = score, history[image, place, :-1]
            ended += leaving.sum(1)
            scores[leaving] = -numpy.inf
            scores[ended >= beam] = -numpy.inf
            if not (scores > -numpy.inf).any():
                break
            parent = (base + beams if step > 0 else numpy.repeat(numpy.arange(images)[:, None], beam, 1)).reshape(-1)
        for image in numpy.flatnonzero(ended == 0):
            captions[image] = history[image, scores[image].argmax()]
        return captions
