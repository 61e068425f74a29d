#!/usr/bin/env bash
# Builds the programs in release mode, the Swift runtime linked in, and prints the folder they are in.
# A machine with Debian's C libraries (scripts/setup.sh --runtime) and no Swift runs them.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh >&2
# A toolchain that setup.sh has just installed is not on this shell's path yet.
swiftly_environment="${SWIFTLY_HOME_DIR:-$HOME/.local/share/swiftly}/env.sh"
command -v swift >/dev/null || . "$swiftly_environment"
swift build -c release --static-swift-stdlib "$@" >&2
swift build -c release --static-swift-stdlib --show-bin-path
