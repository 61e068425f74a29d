#!/usr/bin/env bash
# Prints the path of a Python that has Pillow and NumPy, in a virtual environment under .build; makes it at the first call.
# The image path's tests compare with Pillow. Needs python3 with venv, and the network once.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
environment=$root/.build/venv-pillow
python=$environment/bin/python3

mkdir -p "$root/.build"
exec 9>"$root/.build/venv-pillow.lock"
flock 9
if ! "$python" -c 'import PIL, numpy; assert int(PIL.__version__.split(".")[0]) >= 13' 2>/dev/null; then
    rm -rf "$environment"
    python3 -m venv "$environment" >&2
    "$environment/bin/pip" install --quiet --disable-pip-version-check "pillow>=13" numpy >&2
fi
echo "$python"
