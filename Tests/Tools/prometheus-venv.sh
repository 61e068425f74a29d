#!/usr/bin/env bash
# Prints the path of a Python that has Prometheus' own client library, in a virtual environment under .build; makes it at the
# first call. The metrics' tests read their text with it. Needs python3 with venv, and the network once.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
environment=$root/.build/venv-prometheus
python=$environment/bin/python3

mkdir -p "$root/.build"
exec 9>"$root/.build/venv-prometheus.lock"
flock 9
if ! "$python" -c 'import prometheus_client' 2>/dev/null; then
    rm -rf "$environment"
    python3 -m venv "$environment" >&2
    "$environment/bin/pip" install --quiet --disable-pip-version-check prometheus_client >&2
fi
echo "$python"
