#!/usr/bin/env bash
# Makes kaption-small from photographs with captions and two teachers:
#
#   Recipes/kaption-small/make.sh FLICKR8K TEACHERS OUTPUT
#
# FLICKR8K holds images/, Flickr8k.token.txt, Flickr_8k.trainImages.txt and Flickr_8k.devImages.txt; TEACHERS holds mobilenet_v2.onnx and
# efficientnet_lite0.onnx (README.md says where both come from). OUTPUT/bundle is the model, OUTPUT/quantised the same with int8,
# OUTPUT/*.json and *.html are the scores. What is done already is not done again.
#
# PYTHON (python3) runs the encoder's part, PROGRAM (kaption-model) the rest; ENCODER_OPTIONS and TRAIN_OPTIONS are added to theirs.
# ENCODER=BUNDLE takes the encoder from a bundle that is there, and needs no teachers.
set -euo pipefail
[ $# = 3 ] || { sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 2; }
data=$1 teachers=$2 output=$3
here=$(dirname "$(readlink -f "$0")")
program=${PROGRAM:-kaption-model}
mkdir -p "$output"

if [ -n "${ENCODER:-}" ] && [ ! -e "$ENCODER" ]; then
    echo "ENCODER: there is no bundle $ENCODER" >&2
    exit 2
fi
encoder=${ENCODER:-$output/encoder-bundle}
if [ ! -e "$encoder" ]; then
    if [ ! -e "$output/encoder/encoder.onnx" ]; then
        # shellcheck disable=SC2086
        "${PYTHON:-python3}" "$here/train_encoder.py" --images "$data/images" --split "$data/Flickr_8k.trainImages.txt" \
            --teacher "$teachers/mobilenet_v2.onnx,128,128" --teacher "$teachers/efficientnet_lite0.onnx,127,128" \
            --out "$output/encoder" ${ENCODER_OPTIONS:-}
    fi
    "$program" import --encoder "$output/encoder/encoder.onnx" --decoder "$output/encoder/decoder.safetensors" \
        --vocabulary "$output/encoder/vocabulary.txt" --config "$output/encoder/config.json" \
        --name kaption-small --licence Apache-2.0 --weights f16 --output "$encoder"
fi
if [ ! -e "$output/bundle" ]; then
    # shellcheck disable=SC2086
    "$program" train --dataset "$data/Flickr8k.token.txt" --images "$data/images" \
        --train-split "$data/Flickr_8k.trainImages.txt" --dev-split "$data/Flickr_8k.devImages.txt" --dev-select 500 \
        --encoder "$encoder" --flips --self-critical-epochs 8 --self-critical-images 32 --self-critical-rate 0.0002 \
        --bleu-reward 1 --name kaption-small \
        --work "$output/work" --resume --output "$output/bundle" ${TRAIN_OPTIONS:-}
fi
if [ ! -e "$output/quantised" ]; then
    "$program" quantize --model "$output/bundle" --images "$data/images" --split "$data/Flickr_8k.trainImages.txt" \
        --precision fp32 --beam 3 --output "$output/quantised"
fi
for precision in fp32 int8; do
    "$program" evaluate --model "$output/quantised" --precision $precision --images "$data/images" \
        --references "$data/Flickr8k.token.txt" --split "$data/Flickr_8k.devImages.txt" \
        --output "$output/$precision.json" --report "$output/$precision.html"
done
"$program" evaluate --compare "$output/fp32.json" "$output/int8.json"
