#!/bin/bash
# Ten servers, one after the other, under load: none of its calls fails, and none of its connections is refused.
set -euo pipefail
source examples/testing.sh

server=$1
load=$2
folder=$(mktemp -d /tmp/weir-handover-XXXXXX) # a Unix socket's name is 107 bytes at most
path=$folder/handover

start() { # start N: sets ${pids[N]}, and waits until it serves
  local line
  mkfifo "$TEST_TMPDIR/says$1"
  "$server" localhost:0 "$path" > "$TEST_TMPDIR/says$1" 5>&- & # 5: the end of the load's input
  pids[$1]=$!
  read -r line < "$TEST_TMPDIR/says$1" || fail "server $1 ended before it said its port"
  port=${line##* }
}

pids=()
trap 'kill -9 "${pids[@]}" 2> /dev/null || true; rm -rf "$folder"' EXIT
start 0
first_port=$port

mkfifo "$TEST_TMPDIR/until"
"$load" "localhost:$port" < "$TEST_TMPDIR/until" > "$TEST_TMPDIR/report" &
load_pid=$!
exec 5> "$TEST_TMPDIR/until"

for n in 1 2 3 4 5 6 7 8 9 10; do
  start "$n"
  [[ $port == "$first_port" ]] || fail "server $n is at port $port, not $first_port"
  wait "${pids[n - 1]}" || fail "server $((n - 1)) ended with $?"
done

exec 5>&-
wait "$load_pid" || fail "calls have failed: $(cat "$TEST_TMPDIR/report")"
grep -q " servers have answered, 0 calls have failed" "$TEST_TMPDIR/report" || fail "got: $(cat "$TEST_TMPDIR/report")"
kill -TERM "${pids[10]}"
wait "${pids[10]}" || fail "the last server ended with $?"
pids=()
echo PASSED
