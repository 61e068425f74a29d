#!/usr/bin/env bash
# Installs what Kaption needs on Debian 12: the apt packages that are missing and, where there is none, a Swift toolchain.
#
#   scripts/setup.sh              what building and running takes
#   scripts/setup.sh --tests      also what the tests take (kcat and, beside shared/, Java and Python)
#   scripts/setup.sh --runtime    only the libraries that the built programs load (containers)
set -euo pipefail
cd "$(dirname "$0")/.."

swift_version=6.3.1
runtime_packages=(librdkafka1 libopenblas0-pthread libjpeg62-turbo libpng16-16 libssl3 libmicrohttpd12 libjemalloc2 ca-certificates)
build_packages=(librdkafka-dev libopenblas-dev libjpeg-dev libpng-dev libssl-dev libmicrohttpd-dev libjemalloc-dev pkg-config g++)

usage() { sed -n '2,6s/^# \{0,1\}//p' "$0"; }

packages=("${build_packages[@]}")
toolchain=yes
case "${1:-}" in
    "") ;;
    --tests)
        packages+=(kcat)
        # Real brokers and real photographs are there for builders only; their tests need these.
        if [ -d ../shared ]; then
            command -v java >/dev/null || packages+=(openjdk-17-jre-headless)
            # A Python of one's own (pyenv, say) brings venv along; Debian's does not.
            python3 -c 'import venv, ensurepip' 2>/dev/null || packages+=(python3 python3-venv)
        fi ;;
    --runtime) packages=("${runtime_packages[@]}"); toolchain=no ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
esac

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

missing=()
for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "setup: installing ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# The official toolchain through swiftly, its official installer. Machines that have a `swift` on their path never come here.
if [ "$toolchain" = yes ] && ! command -v swift >/dev/null; then
    echo "setup: no swift on the path; installing Swift $swift_version with swiftly"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends curl gnupg >/dev/null
    download=$(mktemp -d)
    curl -fsSL "https://download.swift.org/swiftly/linux/swiftly-$(uname -m).tar.gz" | tar -xz -C "$download"
    "$download/swiftly" init --assume-yes --skip-install --quiet-shell-followup
    # shellcheck disable=SC1091
    . "${SWIFTLY_HOME_DIR:-$HOME/.local/share/swiftly}/env.sh"
    swiftly install --assume-yes --use "$swift_version"
    rm -rf "$download"
    echo "setup: open a new shell, or run: . ${SWIFTLY_HOME_DIR:-$HOME/.local/share/swiftly}/env.sh"
fi
