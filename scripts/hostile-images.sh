#!/usr/bin/env bash
# Sends mutated pictures (bits flipped, cut short, spliced, chunks and markers moved, sizes rewritten) through a running
# worker, and checks that each has an answer that a file can deserve, that the worker lives and that its memory stays bounded.
#
#   scripts/hostile-images.sh                     10,000 pictures
#   scripts/hostile-images.sh --count 500 --seed 7
#
# KAPTION_TESTS=1: the tests are built already (as scripts/test.sh builds them).
set -euo pipefail
cd "$(dirname "$0")/.."

usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p;}' "$0"; exit "$1"; }
export KAPTION_MUTATED_IMAGES=10000 KAPTION_MUTATED_SEED=1
while [ $# -gt 0 ]; do
    case $1 in
    --count) KAPTION_MUTATED_IMAGES=${2:?--count takes a number}; shift 2 ;;
    --seed) KAPTION_MUTATED_SEED=${2:?--seed takes a number}; shift 2 ;;
    -h | --help) usage 0 ;;
    *) usage 2 >&2 ;;
    esac
done
[ "${KAPTION_TESTS:-0}" = 1 ] || scripts/setup.sh --tests
command -v swift >/dev/null || . "${SWIFTLY_HOME_DIR:-$HOME/.local/share/swiftly}/env.sh"
if grep -qm1 avx512dq /proc/cpuinfo; then export OPENBLAS_CORETYPE=SkylakeX; fi
export OPENBLAS_NUM_THREADS=1

flags=(-c release -Xswiftc -enable-testing --scratch-path .build/testing)
[ "${KAPTION_TESTS:-0}" = 1 ] || swift build --build-tests "${flags[@]}"
swift test --skip-build --disable-xctest "${flags[@]}" --filter MutatedImageTests
