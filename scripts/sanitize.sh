#!/usr/bin/env bash
# Runs the kernels' tests (odd shapes, each instruction set of this CPU) with the address sanitizer and with the undefined
# behaviour sanitizer. Exit code 1 where a test fails or a sanitizer finds something.
#
#   scripts/sanitize.sh              both
#   scripts/sanitize.sh undefined    one of them: address or undefined
#
# They are built in a package of their own, .build/sanitize, as SwiftPM would build the whole project so.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p;}' "$0"; exit "$1"; }
sanitizers=()
for argument in "$@"; do
    case $argument in
    address | undefined) sanitizers+=("$argument") ;;
    -h | --help) usage 0 ;;
    *) usage 2 >&2 ;;
    esac
done
[ ${#sanitizers[@]} -gt 0 ] || sanitizers=(address undefined)
scripts/setup.sh --tests
command -v swift >/dev/null || . "${SWIFTLY_HOME_DIR:-$HOME/.local/share/swiftly}/env.sh"

package=$PWD/.build/sanitize
mkdir -p "$package/Sources" "$package/Tests"
for target in CRdKafka COpenBLAS Kernels; do ln -sfn "$PWD/Sources/$target" "$package/Sources/$target"; done
for target in TestSupport KernelsTests; do ln -sfn "$PWD/Tests/$target" "$package/Tests/$target"; done
cat >"$package/Package.swift" <<'END'
// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "kaption",
    targets: [
        .target(name: "CRdKafka", linkerSettings: [.linkedLibrary("rdkafka")]),
        .target(name: "COpenBLAS", linkerSettings: [.linkedLibrary("openblas")]),
        .target(name: "Kernels", linkerSettings: [.linkedLibrary("m")]),
        .target(name: "TestSupport", dependencies: ["CRdKafka"], path: "Tests/TestSupport"),
        .testTarget(name: "KernelsTests", dependencies: ["Kernels", "COpenBLAS", "TestSupport"]),
    ])
END

runtime=$(clang -print-resource-dir)/lib/linux
for sanitizer in "${sanitizers[@]}"; do
    case $sanitizer in
    address) flags=(--sanitize=address -Xcc -O1) ;;
    # SwiftPM hands its own option to the linker of Swift, which has no such runtime.
    undefined) flags=(-Xcc -O1 -Xcc -fsanitize=undefined -Xlinker "$runtime/libclang_rt.ubsan_standalone-$(uname -m).so"
        -Xlinker -rpath -Xlinker "$runtime") ;;
    esac
    log=$package/$sanitizer.log
    echo "== the kernels' tests with the $sanitizer sanitizer (minutes to build)"
    if ! (cd "$package" && swift test --disable-xctest -c release -Xswiftc -enable-testing --scratch-path ".build-$sanitizer" \
        "${flags[@]}") >"$log" 2>&1 || grep -qE 'runtime error:|ERROR: AddressSanitizer' "$log"; then
        grep -E 'runtime error:|ERROR: AddressSanitizer|✘|error:' "$log" | head -40 >&2 || true
        echo "sanitize: findings or failed tests with the $sanitizer sanitizer; see ${log#"$PWD"/}" >&2
        exit 1
    fi
    grep -E 'Test run with' "$log"
done
