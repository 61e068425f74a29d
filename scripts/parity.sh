#!/usr/bin/env bash
# Compares imported encoders with ONNX Runtime: torchvision's networks, random weights, both of PyTorch's exporters.
# Makes a virtual environment of its own (about 1.5 GB: torch, torchvision, onnx, onnxruntime) in .build/parity.
#
#   scripts/parity.sh                             all networks
#   scripts/parity.sh --networks resnet50 vgg16   some of them
#   scripts/parity.sh --keep DIR                  keep the exported files, and use those that are there
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh --tests
command -v swift >/dev/null || . "${SWIFTLY_HOME_DIR:-$HOME/.local/share/swiftly}/env.sh"

environment=.build/parity
if [[ ! -x $environment/bin/python ]]; then
    mkdir -p .build
    python3 -m venv "$environment"
fi
complete=$environment/complete
if [[ ! -e $complete ]]; then
    # The CPU build of torch where a wheel of it is at hand (pip's find-links or index), else the usual one.
    "$environment/bin/pip" install --quiet 'torch==2.13.0+cpu' || "$environment/bin/pip" install --quiet 'torch==2.13.0'
    # Without its dependencies: torchvision's wheel asks for the CUDA build of torch.
    "$environment/bin/pip" install --quiet --no-deps 'torchvision==0.28.0'
    "$environment/bin/pip" install --quiet numpy pillow onnx onnxscript onnxruntime
    touch "$complete"
fi

swift build -c release --product kaption-model
exec "$environment/bin/python" Tests/Parity/onnx_parity.py --tool "$(swift build -c release --show-bin-path)/kaption-model" "$@"
