#!/usr/bin/env bash
# Captions pictures through Kafka, from nothing: sets the machine up, builds, starts a broker and a worker, enqueues the
# pictures and prints a table of image and caption as the results arrive.
#
#   scripts/demo.sh                         draws a few pictures of its own
#   scripts/demo.sh DIRECTORY               captions the JPEG and PNG files in DIRECTORY
#   scripts/demo.sh --kafka HOST:PORT [DIRECTORY]    uses a real Kafka instead of the broker for trials
set -euo pipefail
cd "$(dirname "$0")/.."

usage() { sed -n '2,7s/^# \{0,1\}//p' "$0"; }
bootstrap="" pictures=""
while [ $# -gt 0 ]; do
    case "$1" in
        --kafka) bootstrap=${2:?--kafka takes HOST:PORT}; shift 2 ;;
        --help | -h) usage; exit 0 ;;
        -*) usage >&2; exit 2 ;;
        *) pictures=$(realpath "$1"); shift ;;
    esac
done

echo "demo: building (the first time takes a few minutes)"
programs=$(scripts/build.sh)

work=$(mktemp -d)
children=()
stop() {
    for child in "${children[@]}"; do kill -TERM "$child" 2>/dev/null || true; done
    for child in "${children[@]}"; do wait "$child" 2>/dev/null || true; done
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM

if [ -z "$pictures" ]; then
    pictures=$work/pictures
    "$programs/SamplePictures" "$pictures"
fi

if [ -z "$bootstrap" ]; then
    exec 3< <(exec "$programs/kaption-broker" 2>"$work/broker.log")
    children+=($!)
    while read -r line <&3; do
        case "$line" in bootstrap.servers=*) bootstrap=${line#*=}; break ;; esac
    done
    if [ -z "$bootstrap" ]; then cat "$work/broker.log" >&2; exit 1; fi
    echo "demo: in-memory broker at $bootstrap"
fi

"$programs/kaption-worker" --bootstrap-servers "$bootstrap" --storage "$pictures" \
    --model Models/kaption-small --group "kaption-demo-$$" --log text 2>"$work/worker.log" &
worker=$!
children+=("$worker")

# The worker makes the topics that are missing; enqueue when it has joined its group.
if ! grep -qm1 ' assigned ' < <(tail -n +1 -F --pid="$worker" "$work/worker.log" 2>/dev/null); then
    echo "demo: the worker ended before it began:" >&2
    cat "$work/worker.log" >&2
    exit 1
fi

status=0
"$programs/kaption-enqueue" --bootstrap-servers "$bootstrap" --storage "$pictures" \
    --wait --wait-timeout 10m --output table "$pictures" || status=$?
if [ "$status" -ne 0 ]; then
    echo "demo: failed; the worker's last words:" >&2
    tail -20 "$work/worker.log" >&2
fi
exit "$status"
