"""A Python caption worker of the usual kind: confluent-kafka, a JPEG reader, a runtime for encoder and decoder, micro-batches of what
waits. It answers in the order in which it took the requests and commits behind its results. LiteRT runs the encoder alone, image by image; the
decoder is ONNX Runtime's then."""
import argparse
import json
import os
import pathlib

import confluent_kafka
import numpy
import onnx

import pictures
import runtimes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("bootstrap-servers", "storage", "model", "group", "topic", "results"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--runtime", default="onnxruntime", choices=list(runtimes.RUNTIMES))
    parser.add_argument("--reader", default="torchvision", choices=list(pictures.READERS))
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--max-batch", type=int, default=8)
    arguments = parser.parse_args()
    folder = pathlib.Path(arguments.model)
    runtime = runtimes.RUNTIMES[arguments.runtime](arguments.precision)
    vocabulary = (folder / "vocabulary.txt").read_text().splitlines()
    encoder = folder / ("encoder-int8.onnx" if arguments.precision == "int8" else "encoder.onnx")
    value = onnx.load(encoder, load_external_data=False).graph.input[0]
    side = value.type.tensor_type.shape.dim[2].dim_value
    batch = arguments.max_batch
    load = runtime.load(encoder, {value.name: [batch, 3, side, side]})
    if runtime.channels_last:
        def encode(images):
            return numpy.concatenate([load({"image": numpy.ascontiguousarray(image.transpose(1, 2, 0)[None])})[0] for image in images])
    else:
        def encode(images):
            return load({value.name: numpy.stack(images)})[0]
    decoder = runtimes.Decoder(runtimes.OnnxRuntime(arguments.precision) if runtime.channels_last else runtime, folder, batch)
    names = ("mean", "std") if decoder.is_trained else ()
    normalisation = [numpy.array(decoder.configuration[name], numpy.float32) for name in names]
    reader = pictures.READERS[arguments.reader](side, *normalisation)

    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": arguments.bootstrap_servers, "group.id": arguments.group, "auto.offset.reset": "earliest",
        "enable.auto.commit": False})
    producer = confluent_kafka.Producer({"bootstrap.servers": arguments.bootstrap_servers, "enable.idempotence": True})
    consumer.subscribe([arguments.topic])
    storage = pathlib.Path(arguments.storage)
    while os.getppid() != 1:
        records = [record for record in consumer.consume(batch, timeout=0.05) if record.error() is None]
        if not records:
            producer.poll(0)
            continue
        requests = [json.loads(record.value()) for record in records]
        tensors = [reader.read((storage / request["image"]).read_bytes()).reshape(3, side, side) for request in requests]
        # The shapes are fixed, as the runtimes like it: what is missing in a batch is filled with its last image.
        tensors += [tensors[-1]] * (batch - len(tensors))
        captions = decoder.caption(encode(tensors))
        for request, caption in zip(requests, captions):
            answer = {"id": request["id"], "status": "ok", "caption": " ".join(vocabulary[word] for word in caption)}
            producer.produce(arguments.results, json.dumps(answer).encode(), key=request["id"])
        producer.flush()
        consumer.commit(asynchronous=False)


if __name__ == "__main__":
    main()
