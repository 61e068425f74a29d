#!/usr/bin/env bash
# Measures the stages of captioning on one core beside the machine's measured peak, and keeps the table in
# Benchmarks/results, a file a CPU generation. Wants a quiet machine.
#
#   scripts/benchmark.sh [BUNDLE…]        default: Models/kaption-small
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- Models/kaption-small
programs=$(scripts/build.sh)
if grep -qm1 avx512dq /proc/cpuinfo; then export OPENBLAS_CORETYPE=SkylakeX; fi
export OPENBLAS_NUM_THREADS=1
generation=$(awk -F': *' '/^vendor_id/ {v=$2} /^cpu family/ {f=$2} /^model\t/ {m=$2} END {print tolower(v) "-family-" f "-model-" m}' /proc/cpuinfo)
mkdir -p Benchmarks/results
taskset -c 0 "$programs/InferenceBenchmark" "$@" | tee "Benchmarks/results/$generation.txt"
