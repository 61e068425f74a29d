#!/usr/bin/env bash
# Captions thousands of photographs through a real Kafka with two workers of one group, and checks every result: none
# missing, none repeated, and within each key in the order of the requests.
#
#   scripts/acceptance.sh                        the photographs and the Kafka in the folder shared/ beside this one
#   scripts/acceptance.sh --kafka HOST:PORT DIRECTORY      a Kafka that runs, and the JPEG and PNG files in DIRECTORY
#
# Needs kcat. Topics get names of their own, with 8 partitions. KAPTION_PROGRAMS=DIR uses programs that are built already.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() { sed -n '2,8s/^# \{0,1\}//p' "$0"; }
fail() { echo "acceptance: $*" >&2; exit 1; }
bootstrap="" pictures=../shared/flickr8k/images
while [ $# -gt 0 ]; do
    case "$1" in
        --kafka) bootstrap=${2:?--kafka takes HOST:PORT}; shift 2 ;;
        --help | -h) usage; exit 0 ;;
        -*) usage >&2; exit 2 ;;
        *) pictures=$1; shift ;;
    esac
done
[ -d "$pictures" ] || fail "there is no folder $pictures; name one with photographs"
command -v kcat >/dev/null || fail "kcat is needed (Debian: apt-get install kcat)"
programs=${KAPTION_PROGRAMS:-$(scripts/build.sh)}

work=$(mktemp -d)
workers=()
stop() {
    for worker in "${workers[@]}"; do kill -KILL "$worker" 2>/dev/null || true; done
    [ ! -d "$work/kafka" ] || ../shared/kafka/kafka-local wipe >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM

if [ -z "$bootstrap" ]; then
    [ -x ../shared/kafka/kafka-local ] || fail "no Kafka at hand; name one with --kafka HOST:PORT"
    export KAFKA_LOCAL_DIR=$work/kafka KAFKA_LOCAL_PORT=${KAFKA_LOCAL_PORT:-39492}
    mkdir "$KAFKA_LOCAL_DIR"
    ../shared/kafka/kafka-local start >/dev/null
    bootstrap=127.0.0.1:$KAFKA_LOCAL_PORT
fi

run=acceptance-$$-$(date +%s)
requests=$run.requests results=$run.results
start_worker() { # start_worker NUMBER
    "$programs/kaption-worker" --bootstrap-servers "$bootstrap" --storage "$pictures" --model Models/kaption-small \
        --group "$run" --topics "$requests" --results-topic "$results" --dead-letters-topic "$run.dead-letters" \
        --partitions 8 --threads 1 2>"$work/worker-$1.log" &
    workers+=($!)
}
wait_for() { # wait_for SECONDS FILE TEXT
    for ((i = 0; i < $1 * 5; i++)); do
        if grep -q "$3" "$2"; then return; fi
        sleep 0.2
    done
    cat "$2" >&2
    fail "waited in vain for '$3'"
}
start_worker 1
wait_for 60 "$work/worker-1.log" ' assigned .*\[7\]'
start_worker 2
wait_for 60 "$work/worker-2.log" ' assigned .*\['

# 250 keys, so that each has a number of requests whose order can be checked.
find "$pictures" -maxdepth 1 -type f \( -name '*.jpg' -o -name '*.jpeg' -o -name '*.png' \) -printf '%f\n' | sort |
    awk '{ printf "key-%d\t{\"id\":\"r%d\",\"image\":\"%s\"}\n", NR % 250, NR, $0 }' >"$work/requests"
count=$(wc -l <"$work/requests")
[ "$count" -gt 0 ] || fail "there are no photographs in $pictures"
echo "acceptance: $count requests, 8 partitions, 2 workers of 1 thread"
began=$(date +%s.%N)
kcat -P -b "$bootstrap" -t "$requests" -K '\t' -X enable.idempotence=true "$work/requests" -l

# kcat ends when it has read as many results as there are requests.
timeout $((60 + count)) kcat -C -q -b "$bootstrap" -t "$results" -o beginning -c "$count" -f '%o\n' >/dev/null ||
    fail "the results did not come in time"
seconds=$(awk -v began="$began" -v ended="$(date +%s.%N)" 'BEGIN { printf "%.1f", ended - began }')

status=0
for worker in "${workers[@]}"; do kill -TERM "$worker"; done
for worker in "${workers[@]}"; do wait "$worker" || { echo "a worker ended with $?" >&2; status=1; }; done
workers=()

kcat -C -q -b "$bootstrap" -t "$results" -o beginning -e -f '%k\t%s\n' >"$work/results"
kcat -C -q -b "$bootstrap" -t "$run.dead-letters" -o beginning -e -f '%s\n' >"$work/dead-letters"
awk -F '\t' -v expected="$count" -v seconds="$seconds" -v deadLetters="$(wc -l <"$work/dead-letters")" '
    function field(text, pattern) {
        if (!match(text, pattern)) { return "" }
        return substr(text, RSTART, RLENGTH)
    }
    {
        id = field($2, "^\\{\"id\":\"r[0-9]+\""); if (seen[id]++) { repeated++ } else { distinct++ }
        if ($2 ~ /"status":"ok"/) { ok++ }
        source = field($2, "\"source\":\\{[^}]*\\}")
        offset = field(source, "\"offset\":[0-9]+"); sub(/.*:/, "", offset)
        partition = field(source, "\"partition\":[0-9]+"); sub(/.*:/, "", partition)
        if (($1 in last) && (offset + 0 <= last[$1] || partition != place[$1])) { unordered++ }
        last[$1] = offset + 0; place[$1] = partition; perPartition[partition]++
    }
    END {
        for (p in perPartition) { used++ }
        printf "acceptance: %d results of %d: %d missing, %d repeated, %d out of order, %d ok, %d dead letters, %d partitions, %s s, %.1f a second\n",
            NR, expected, expected - distinct, repeated, unordered, ok, deadLetters, used, seconds, expected / seconds
        exit !(NR == expected && distinct == expected && !unordered && ok + deadLetters == expected && used == 8)
    }' "$work/results" || status=1

for number in 1 2; do
    summary=$(grep ' stopped ' "$work/worker-$number.log" || true)
    echo "worker $number: ${summary#* stopped }"
    [ -n "$summary" ] || status=1
done
if [ -d "$work/kafka" ]; then
    behind=$(../shared/kafka/kafka-local groups --describe --group "$run" 2>/dev/null |
        awk '$2 ~ /requests$/ { rows++; if ($6 != 0) { behind++ } } END { print (rows == 8 ? behind + 0 : "unknown") }')
    echo "partitions with uncommitted requests: $behind"
    [ "$behind" = 0 ] || status=1
fi
[ "$status" -eq 0 ] || { tail -5 "$work"/worker-*.log >&2; fail "failed"; }
echo "acceptance: passed"
