"""The whole worker, Kafka to Kafka, beside Python workers: the same requests, topics of their own, alternating runs.

A worker is named by its stack and its precision, and if need be the most images of a batch: kaption:int8, openvino:bf16, onnxruntime:fp32:4.

All captions take all their steps (prepare.py's random decoders). Requests are enqueued once every process of a worker has joined the group and has its
share of the partitions, so starting and joining do not count, and nobody works alone; a run's time is from its first to its last result by their time
stamps. Memory is the sum of the processes' proportional set sizes at the end.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import confluent_kafka
from confluent_kafka.admin import AdminClient, NewTopic

HERE = pathlib.Path(__file__).resolve().parent
PARTITIONS = 4


def proportional_set(process):
    with open(f"/proc/{process.pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:")) / 1024


class Run:
    def __init__(self, arguments, label):
        self.servers = arguments.kafka
        self.timeout = arguments.timeout
        self.label = f"{label}-{os.getpid()}-{time.time_ns()}"
        self.requests, self.results = f"compare.requests.{self.label}", f"compare.results.{self.label}"
        dead = f"compare.dead.{self.label}"
        self.admin = AdminClient({"bootstrap.servers": self.servers})
        for future in self.admin.create_topics(
                [NewTopic(name, PARTITIONS, 1) for name in (self.requests, self.results, dead)]).values():
            future.result()
        self.dead = dead

    def wait_for_members(self, processes):
        """Until each process has partitions, as many as the others."""
        deadline = time.time() + self.timeout
        while time.time() < deadline and all(process.poll() is None for process in processes):
            time.sleep(0.1)
            try:
                group = self.admin.describe_consumer_groups([self.label])[self.label].result()
            except confluent_kafka.KafkaException:
                # A new group's coordinator is often not known, or still loads; what lasts is told at the deadline.
                continue
            shares = [len(member.assignment.topic_partitions) for member in group.members]
            if group.state == confluent_kafka.ConsumerGroupState.STABLE and shares == [PARTITIONS // len(processes)] * len(processes):
                return
        raise SystemExit(f"{self.label}: its processes do not share the partitions")

    def enqueue(self, images, count):
        producer = confluent_kafka.Producer({"bootstrap.servers": self.servers, "linger.ms": 20})
        for number in range(count):
            request = {"id": str(number), "image": images[number % len(images)]}
            producer.produce(self.requests, json.dumps(request).encode(), partition=number % PARTITIONS)
        producer.flush()

    def collect(self, count, processes):
        """Captions by id, and images a second."""
        consumer = confluent_kafka.Consumer({
            "bootstrap.servers": self.servers, "group.id": f"reader-{self.label}", "auto.offset.reset": "earliest"})
        consumer.subscribe([self.results])
        captions, times, deadline = {}, [], time.time() + self.timeout
        while len(captions) < count:
            if time.time() > deadline or any(process.poll() is not None for process in processes):
                raise SystemExit(f"{self.label}: only {len(captions)} of {count} results")
            for record in consumer.consume(500, timeout=0.2):
                if record.error() is None:
                    answer = json.loads(record.value())
                    if answer["status"] != "ok":
                        raise SystemExit(f"{self.label}: {answer}")
                    captions[answer["id"]] = answer["caption"]
                    times.append(record.timestamp()[1])
        consumer.close()
        return captions, (count - 1) * 1000 / (max(times) - min(times))


class Worker:
    """What is started: our program with a thread a core, or a Python process on each core."""

    def __init__(self, name):
        self.name = name
        self.stack, self.precision, self.batch = (*name.split(":"), "8")[:3]

    @property
    def is_ours(self):
        return self.stack == "kaption"

    def start(self, run, arguments, model):
        return self.ours(run, arguments, model) if self.is_ours else self.peers(run, arguments, model)

    def ours(self, run, arguments, model):
        bundle = "bundle" if self.precision == "fp32" else "bundle-int8"
        command = [
            arguments.worker, "--bootstrap-servers", run.servers, "--storage", arguments.storage, "--model", str(model / bundle),
            "--group", run.label, "--topics", run.requests, "--results-topic", run.results, "--dead-letters-topic", run.dead,
            "--threads", str(os.cpu_count()), "--precision", self.precision, "--max-batch", self.batch]
        return [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)]

    def peers(self, run, arguments, model):
        environment = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
        command = [
            sys.executable, str(HERE / "worker.py"), "--bootstrap-servers", run.servers, "--storage", arguments.storage,
            "--model", str(model), "--group", run.label, "--topic", run.requests, "--results", run.results,
            "--runtime", self.stack, "--precision", self.precision, "--max-batch", self.batch]
        return [subprocess.Popen(["taskset", "-c", str(core), *command], env=environment) for core in range(os.cpu_count())]


def measure(arguments, worker, model, images):
    run = Run(arguments, worker.name.replace(":", "-"))
    processes = worker.start(run, arguments, model)
    try:
        run.wait_for_members(processes)
        run.enqueue(images, arguments.count)
        captions, rate = run.collect(arguments.count, processes)
        memory = sum(proportional_set(process) for process in processes)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
    return captions, rate, memory


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, help="what prepare.py made")
    parser.add_argument("--worker", required=True, help="the kaption-worker program")
    parser.add_argument("--kafka", required=True, metavar="HOST:PORT")
    parser.add_argument("--storage", required=True, help="a folder of JPEGs")
    parser.add_argument("--model", default="mobilenet_v2")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--timeout", type=float, default=150, metavar="SECONDS", help="for joining, and for all results")
    parser.add_argument(
        "--workers", nargs="+", type=Worker, default=[Worker("kaption:fp32"), Worker("onnxruntime:fp32"), Worker("openvino:fp32")])
    arguments = parser.parse_args()
    model = arguments.folder.resolve() / arguments.model
    images = sorted(path.name for path in pathlib.Path(arguments.storage).iterdir() if path.suffix == ".jpg")
    workers = arguments.workers
    rates, memory, captions = {worker: [] for worker in workers}, {}, {}
    for turn in range(arguments.rounds):
        for worker in workers[turn % len(workers):] + workers[:turn % len(workers)]:
            captions[worker], rate, memory[worker] = measure(arguments, worker, model, images)
            rates[worker].append(rate)
    best = max((statistics.median(rates[worker]) for worker in workers if worker.is_ours), default=None)
    print("| worker | images a second, median (range) | our best is faster by | MB (PSS) | captions of the first |\n|---|---|---|---|---|")
    for worker in workers:
        median = statistics.median(rates[worker])
        ratio = f"{best / median:.2f}" if best else ""
        same = sum(captions[worker][key] == caption for key, caption in captions[workers[0]].items())
        print(f"| {worker.name} | {median:.1f} ({min(rates[worker]):.1f}–{max(rates[worker]):.1f}) | {ratio} "
              f"| {memory[worker]:.0f} | {same} of {arguments.count} |", flush=True)


if __name__ == "__main__":
    main()
