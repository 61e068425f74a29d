#!/usr/bin/env bash
# Makes a model like kaption-small from photographs with captions:
#
#   Recipes/kaption-small/make.sh FLICKR8K OUTPUT
#
# FLICKR8K holds images/, Flickr8k.token.txt, Flickr_8k.trainImages.txt and Flickr_8k.devImages.txt (README.md says where they are from).
# OUTPUT/bundle is the model, OUTPUT/quantised the same with int8, OUTPUT/*.json and *.html are the scores. What is done already is not
# done again.
#
# The encoder is that of the bundle START (the model in the box), fine-tuned. TEACHERS=DIR, with mobilenet_v2.onnx and
# efficientnet_lite0.onnx, trains one from a random start; ENCODER=BUNDLE takes a bundle's as it is.
# PYTHON (python3) runs the encoder's part, PROGRAM (kaption-model) the rest; ENCODER_OPTIONS and TRAIN_OPTIONS are added to theirs.
set -euo pipefail
[ $# = 2 ] || { sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 2; }
data=$1 output=$2
here=$(dirname "$(readlink -f "$0")")
program=${PROGRAM:-kaption-model}
start=${START:-$here/../../Models/kaption-small}
mkdir -p "$output"

for variable in START ENCODER TEACHERS; do
    if [ -n "${!variable:-}" ] && [ ! -e "${!variable}" ]; then
        echo "$variable: there is no ${!variable}" >&2
        exit 2
    fi
done
encoder=${ENCODER:-$output/encoder-bundle}
if [ ! -e "$encoder" ]; then
    if [ ! -e "$output/encoder/encoder.onnx" ]; then
        if [ -n "${TEACHERS:-}" ]; then
            how=(train_encoder.py --teacher "$TEACHERS/mobilenet_v2.onnx,128,128" --teacher "$TEACHERS/efficientnet_lite0.onnx,127,128")
        else
            how=(finetune_encoder.py --start "$start" --captions "$data/Flickr8k.token.txt" --held-split "$data/Flickr_8k.devImages.txt")
        fi
        # shellcheck disable=SC2086
        "${PYTHON:-python3}" "$here/${how[0]}" "${how[@]:1}" --images "$data/images" --split "$data/Flickr_8k.trainImages.txt" \
            --out "$output/encoder" ${ENCODER_OPTIONS:-}
    fi
    "$program" import --encoder "$output/encoder/encoder.onnx" --decoder "$output/encoder/decoder.safetensors" \
        --vocabulary "$output/encoder/vocabulary.txt" --config "$output/encoder/config.json" \
        --name kaption-small --licence Apache-2.0 --weights f16 --output "$encoder" \
        --training-terms "Flickr8k is for research and education; none of its photographs or captions is in this bundle."
fi
train() {
    # shellcheck disable=SC2086
    "$program" train --dataset "$data/Flickr8k.token.txt" --images "$data/images" \
        --train-split "$data/Flickr_8k.trainImages.txt" --dev-split "$data/Flickr_8k.devImages.txt" --dev-select 500 \
        --flips --self-critical-images 32 --self-critical-rate 0.0002 --bleu-reward 1 --name kaption-small \
        --feature-cache "$output/features" --resume "$@" ${TRAIN_OPTIONS:-}
}
if [ ! -e "$output/first" ]; then
    train --encoder "$encoder" --self-critical-epochs 8 --work "$output/first.training" --output "$output/first"
fi
if [ ! -e "$output/bundle" ]; then
    train --from "$output/first" --epochs 0 --self-critical-epochs 6 --seed 2 --work "$output/bundle.training" --output "$output/bundle"
fi
if [ ! -e "$output/quantised" ]; then
    "$program" quantize --model "$output/bundle" --images "$data/images" --split "$data/Flickr_8k.trainImages.txt" \
        --precision fp32 --beam 3 --output "$output/quantised"
fi
for precision in fp32 bf16 int8; do
    "$program" evaluate --model "$output/quantised" --precision $precision --images "$data/images" \
        --references "$data/Flickr8k.token.txt" --split "$data/Flickr_8k.devImages.txt" \
        --output "$output/$precision.json" --report "$output/$precision.html"
done
for precision in bf16 int8; do
    "$program" evaluate --compare "$output/fp32.json" "$output/$precision.json"
done
