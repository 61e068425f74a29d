#!/usr/bin/env bash
# Measures the stages of captioning on one core beside the machine's measured peak, and keeps the table in
# Benchmarks/results, a file a CPU generation. Wants a quiet machine.
#
#   scripts/benchmark.sh [BUNDLE…]           default: Models/kaption-small
#   scripts/benchmark.sh --peers [OPTION…]   beside ONNX Runtime, OpenVINO, torchvision and Pillow, in alternating runs: a table in
#                                            Benchmarks/results/…-peers.md. Makes a virtual environment and exports networks in
#                                            .build/peers (about 3 GB). Options are those of Benchmarks/peers/compare.py. LiteRT is
#                                            there too once Benchmarks/peers/prepare_litert.py was run on .build/peers/models
set -euo pipefail
cd "$(dirname "$0")/.."
usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p;}' "$0"; }
with_peers=
case ${1:-} in
--peers) with_peers=1; shift ;;
-h | --help) usage; exit ;;
-*) usage >&2; exit 2 ;;
"") set -- Models/kaption-small ;;
esac
programs=$(scripts/build.sh)
if grep -qm1 avx512dq /proc/cpuinfo; then export OPENBLAS_CORETYPE=SkylakeX; fi
export OPENBLAS_NUM_THREADS=1
generation=$(awk -F': *' '/^vendor_id/ {v=$2} /^cpu family/ {f=$2} /^model\t/ {m=$2} END {print tolower(v) "-family-" f "-model-" m}' /proc/cpuinfo)
mkdir -p Benchmarks/results
if [ -z "$with_peers" ]; then
    taskset -c 0 "$programs/InferenceBenchmark" "$@" | tee .build/benchmark.txt
    mv .build/benchmark.txt "Benchmarks/results/$generation.txt"
    exit
fi

environment=.build/peers/environment
if [ ! -e "$environment/complete" ]; then
    mkdir -p .build/peers
    python3 -m venv "$environment"
    # The CPU build of torch where a wheel of it is at hand, else the usual one; torchvision without its dependencies, which ask for CUDA.
    "$environment/bin/pip" install --quiet 'torch==2.13.0+cpu' || "$environment/bin/pip" install --quiet 'torch==2.13.0'
    "$environment/bin/pip" install --quiet --no-deps 'torchvision==0.28.0'
    "$environment/bin/pip" install --quiet numpy pillow onnx onnxscript onnxruntime openvino ai-edge-litert confluent-kafka
    touch "$environment/complete"
fi
# Trained models, for captions that end by themselves, where they are at hand.
trained=()
for model in reference kaption-small; do
    if [ -d "../shared/models/$model" ]; then trained+=(--model "../shared/models/$model"); fi
done
if [ -d ../shared/models/kaption-small ]; then
    trained+=(--encoder kaption-small ../shared/models/kaption-small/encoder.onnx Models/kaption-small)
fi
"$environment/bin/python" Benchmarks/peers/prepare.py .build/peers/models --tool "$programs/kaption-model" \
    --draw "$programs/InferenceBenchmark" "${trained[@]}"
"$environment/bin/python" Benchmarks/peers/compare.py .build/peers/models --benchmark "$programs/InferenceBenchmark" "$@" |
    tee .build/benchmark-peers.md
mv .build/benchmark-peers.md "Benchmarks/results/$generation-peers.md"
