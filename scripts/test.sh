#!/usr/bin/env bash
# Sets the machine up, builds everything in release mode and runs all tests.
#
#   scripts/test.sh                        everything
#   scripts/test.sh --filter InferenceTests   any argument goes on to `swift test`
#
# Tests that need the folder shared/ beside this one (real photographs, real weights, a real Kafka) are skipped where
# it is absent; where it is present, a skipped test fails the run, but for kernels of an instruction set that the CPU lacks.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh --tests
command -v swift >/dev/null || . "${SWIFTLY_HOME_DIR:-$HOME/.local/share/swiftly}/env.sh"

# Debian 12's OpenBLAS does not know the newest CPUs and falls back to AVX2; the variable is read when the library is loaded.
if grep -qm1 avx512dq /proc/cpuinfo; then export OPENBLAS_CORETYPE=SkylakeX; fi
export OPENBLAS_NUM_THREADS=1

# A build folder of its own: -enable-testing would otherwise rebuild what scripts/demo.sh built, and back.
flags=(-c release -Xswiftc -enable-testing -Xswiftc -warnings-as-errors --scratch-path .build/testing)
swift build --build-tests "${flags[@]}"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
swift test --skip-build --disable-xctest "${flags[@]}" "$@" 2>&1 | tee "$log" || status=$?

passed=$(grep -E '^. Test .* passed after' "$log" | grep -vc 'Test run with' || true)
failed=$(grep -E '^. Test .* failed after' "$log" | grep -vc 'Test run with' || true)
# Names of tests may have these words, too: what follows a skip is its reason or the line's end.
skipped=$(grep -cE '^. Test .* skipped(:|\.?$)' "$log" || true)
if [ "$status" -eq 0 ] && [ "$passed" -eq 0 ]; then
    echo "test: no test was run" >&2
    status=1
fi
if [ -d ../shared ] && grep -E '^. (Test|Suite) .* skipped(:|\.?$)' "$log" | grep -v 'CPU lacks' >&2; then
    echo "test: the tests above were skipped although shared/ is present; that is a failure" >&2
    status=1
fi
# A crashed or timed-out test process reports no failed test; the closing line must not look green.
if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi
echo "$passed passed, $failed failed, $skipped skipped"
exit "$status"
