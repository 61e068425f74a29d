#!/usr/bin/env bash
# Prints the path of a Python that has pycocoevalcap, sacrebleu and NLTK, in a virtual environment under .build; makes it at the
# first call. make_metrics_golden.py needs it, the tests do not. Needs python3 with venv, Java, and the network once.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
environment=$root/.build/venv-metrics
python=$environment/bin/python3

mkdir -p "$root/.build"
exec 9>"$root/.build/venv-metrics.lock"
flock 9
if ! "$python" -c 'import pycocoevalcap, sacrebleu, nltk' 2>/dev/null; then
    rm -rf "$environment"
    python3 -m venv "$environment" >&2
    "$environment/bin/pip" install --quiet --disable-pip-version-check \
        pycocoevalcap==1.2 sacrebleu==2.6.0 nltk==3.10.4 >&2
fi
echo "$python"
