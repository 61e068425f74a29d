#!/usr/bin/env bash
# Breaks workers, brokers and storage under load, seed by seed, and checks that no request was lost or doubled: builds the
# programs and runs the fault harness. `scripts/chaos.sh --help` says the rest. KAPTION_PROGRAMS=DIR uses programs that are
# built already.
set -euo pipefail
cd "$(dirname "$0")/.."
programs=${KAPTION_PROGRAMS:-$(scripts/build.sh)}
if grep -qm1 avx512dq /proc/cpuinfo; then export OPENBLAS_CORETYPE=SkylakeX; fi
export OPENBLAS_NUM_THREADS=1
exec "$programs/FaultHarness" "$@"
