#!/usr/bin/env bash
# Builds the fuzz targets (libFuzzer with the address sanitizer, the C code with the undefined behaviour sanitizer too)
# and runs them over seeds that the project makes.
#
#   scripts/fuzz.sh                              each target, 100,000 executions
#   scripts/fuzz.sh --target png --runs 1000000  one target
#   scripts/fuzz.sh --seed 7                     other mutations
#   scripts/fuzz.sh --target png FILE…           runs one target once over each file, to look into a finding
#   scripts/fuzz.sh --build                      builds only
#
# Targets: jpeg png request onnx safetensors manifest. What is found lies in .build/fuzz/findings; exit code 1.
# Environment: NICE (default 19) for the fuzzers' priority.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p;}' "$0"; exit "$1"; }
targets="jpeg png request onnx safetensors manifest"
chosen=$targets runs=100000 seed=1 build_only=0 files=()
while [ $# -gt 0 ]; do
    case $1 in
    --target) chosen=$2; shift 2 ;;
    --runs) runs=$2; shift 2 ;;
    --seed) seed=$2; shift 2 ;;
    --build) build_only=1; shift ;;
    -h | --help) usage 0 ;;
    -*) usage 2 >&2 ;;
    *) files+=("$1"); shift ;;
    esac
done
for target in $chosen; do
    case " $targets " in *" $target "*) ;; *) echo "fuzz: no target '$target'; there are: $targets" >&2; exit 2 ;; esac
done
command -v swiftc >/dev/null || . "${SWIFTLY_HOME_DIR:-$HOME/.local/share/swiftly}/env.sh"

out=$PWD/.build/fuzz
mkdir -p "$out/objects" "$out/modules" "$out/findings"

swift_flags=(-O -g -swift-version 6 -package-name kaption -parse-as-library -enable-testing -warnings-as-errors -sanitize=address
    -use-ld=lld -I "$out")
c_flags=(-O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
    -mllvm -asan-instrumentation-with-call-threshold=0) # calls in place of inlined checks: the kernels compile in a tenth of the time

# Whether a product is missing or older than its sources.
is_stale() { [ ! -e "$1" ] || [ -n "$(find "${@:2}" -newer "$1" -print -quit)" ]; }

build_c() { # module
    local object
    for source in $(find "Sources/$1" -name '*.c'); do
        object=$out/objects/$(tr / - <<<"$source").o
        if is_stale "$object" "Sources/$1"; then
            clang "${c_flags[@]}" -I "Sources/$1/include" -I "Sources/$1" -c "$source" -o "$object"
        fi
    done
}

build_module() { # name, sources…
    if is_stale "$out/$1.o" "${@:2}" Sources/*/include; then
        swiftc "${swift_flags[@]}" -sanitize=fuzzer -wmo -module-name "$1" -c -o "$out/$1.o" \
            -emit-module-path "$out/$1.swiftmodule" "${@:2}"
    fi
}

build_target() { # name, module, sources…
    if is_stale "$out/$1" "$out/$2.o" "$out/objects" "${@:3}"; then
        swiftc "${swift_flags[@]}" -sanitize=fuzzer -wmo -module-name "Fuzz_$1" -emit-executable -emit-module-path "$out/modules/$1.swiftmodule" \
            -o "$out/$1" "${@:3}" \
            "$out/$2.o" $([ "$2" = Messaging ] || echo "$out"/objects/*.o) -lopenblas -ljpeg -lpng -lcrypto -lm
    fi
}

for module in CJPEG CPNG CCrypto COpenBLAS Kernels; do
    build_c "$module"
    map=$PWD/Sources/$module/include/module.modulemap
    if [ ! -e "$map" ]; then
        map=$out/$module.modulemap
        echo "module $module { header \"$PWD/Sources/$module/include/$module.h\" export * }" >"$map"
    fi
    swift_flags+=(-Xcc "-fmodule-map-file=$map")
done
build_module Inference $(find Sources/Inference -name '*.swift')
# All of the messages but what hands them to librdkafka.
messages=$(find Sources/Messaging/Messages -name '*.swift' ! -name 'CaptionResult+Record.swift')
build_module Messaging $messages Sources/Messaging/Kafka/KafkaMessage.swift
build_module PictureDrawing Sources/PictureDrawing/*.swift
T=Fuzz/Targets
build_target jpeg Inference $T/JPEG.swift $T/Images.swift
build_target png Inference $T/PNG.swift $T/Images.swift
build_target request Messaging $T/Request.swift $T/JSONOracle.swift
build_target onnx Inference $T/ONNX.swift $T/EncoderRun.swift $T/ScratchFile.swift
build_target safetensors Inference $T/Safetensors.swift $T/ScratchFile.swift
build_target manifest Inference $T/Manifest.swift $T/EncoderRun.swift
if is_stale "$out/corpus" Fuzz/Corpus "$out/Inference.o" "$out/PictureDrawing.o" "$out/objects"; then
    swiftc "${swift_flags[@]}" -wmo -module-name Corpus -emit-executable -emit-module-path "$out/modules/corpus.swiftmodule" \
        -o "$out/corpus" Fuzz/Corpus/*.swift $T/ScratchFile.swift \
        "$out/Inference.o" "$out/PictureDrawing.o" "$out"/objects/*.o -lopenblas -ljpeg -lpng -lcrypto -lm
fi
[ "$build_only" = 0 ] || exit 0

# Swift's own crash reports would keep libFuzzer from writing down the input.
export OPENBLAS_NUM_THREADS=1 SWIFT_BACKTRACE=enable=no
if [ ${#files[@]} -gt 0 ]; then exec "$out/${chosen%% *}" -rss_limit_mb=1024 "${files[@]}"; fi

status=0
for target in $chosen; do
    seeds=$out/seeds/$target corpus=$out/corpora/$target-$seed
    rm -rf "$seeds" "$corpus"
    mkdir -p "$corpus"
    ASAN_OPTIONS=detect_leaks=0 "$out/corpus" "$target" "$seeds" # globals live to the end
    dictionary=Fuzz/Dictionaries/$target.dict
    # The largest input of each target takes in its seeds; memory and time of one execution are bounded far above its usual.
    case $target in manifest) length=4096 ;; onnx) length=6144 ;; request) length=1024 ;; *) length=3072 ;; esac
    start=$(date +%s)
    if nice -n "${NICE:-19}" "$out/$target" -runs="$runs" -seed="$seed" -max_len="$length" -timeout=20 -rss_limit_mb=2048 \
        -malloc_limit_mb=1024 -print_final_stats=1 -verbosity=1 -reload=0 -artifact_prefix="$out/findings/$target-" \
        $([ ! -e "$dictionary" ] || echo "-dict=$dictionary") "$corpus" "$seeds" >"$out/$target.log" 2>&1; then
        result="no finding"
    else
        result="a FINDING, see $out/$target.log"
        status=1
    fi
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$out/$target.log")
    peak=$(sed -n 's/^stat::peak_rss_mb: *//p' "$out/$target.log")
    echo "$target: ${executions:-?} executions, seed $seed, $(($(date +%s) - start)) s, peak ${peak:-?} MiB: $result" |
        tee -a "$out/results.txt"
done
exit "$status"
