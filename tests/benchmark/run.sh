#!/usr/bin/env bash
# Runs the echo server under a neutral load (h2load) and under our client, and prints one table.
#
#   tests/benchmark/run.sh                 calls per second, server CPU per call, latency
#   tests/benchmark/run.sh --instructions  user-space instructions per call and per stream message (callgrind)
#
# CPU and instructions of the server are the figures to trust; calls per second depend on who else uses the machine.
# Needs the programs built: `./dev bench` does that first.
set -euo pipefail
cd "$(dirname "$0")/../.."

bin="$(bazel info --config=opt bazel-bin 2>/dev/null)/tests/benchmark"
work="$(mktemp -d)"
server_pid=""
stop_server() {
  [[ -z "$server_pid" ]] || kill -TERM "$server_pid" 2>/dev/null || true
  [[ -z "$server_pid" ]] || wait "$server_pid" 2>/dev/null || true
  server_pid=""
}
trap 'stop_server; rm -rf "$work"' EXIT

# A Payload of 16 bytes, and StreamRequests of 1,000 and 21,000 messages of 16 bytes, each in its envelope.
printf '\0\0\0\0\22\12\20xxxxxxxxxxxxxxxx' >"$work/unary"
printf '\0\0\0\0\5\10\350\7\20\20' >"$work/stream_1000"
printf '\0\0\0\0\6\10\210\244\1\20\20' >"$work/stream_21000"

# start_server [command in front of it]...: sets server_pid and port.
start_server() {
  : >"$work/server"  # what the last one said must not be taken for an answer
  "$@" "$bin/echo_server" --port=0 --threads=1 >"$work/server" 2>&1 &
  server_pid=$!
  until grep -q 'listening on' "$work/server"; do
    kill -0 "$server_pid" || { cat "$work/server" >&2; exit 1; }
    read -rt 0.05 <> <(:) || true
  done
  port="$(sed -n 's/.*127\.0\.0\.1://p' "$work/server")"
}

# load METHOD BODY h2load-options...: fails if a call failed.
load() {
  local method="$1" body="$2"
  shift 2
  h2load "$@" -w 30 -W 30 -d "$work/$body" -H 'content-type: application/grpc' -H 'te: trailers' \
    "http://127.0.0.1:$port/bench.Echo/$method" >"$work/h2load"
  grep -q ' 0 failed, 0 errored, 0 timeout' "$work/h2load" || { cat "$work/h2load" >&2; exit 1; }
}

# User and system CPU of the server so far, in microseconds.
server_cpu_us() {
  awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) * 1000000 / hz }' "/proc/$server_pid/stat"
}

measure_speed() {
  printf '%-34s %12s %16s\n' 'unary, 16 bytes' 'calls/s' 'server us/call'
  start_server
  local calls streams connections before after
  while read -r connections streams calls; do
    load Unary unary -n 1000 -c "$connections" -m "$streams"
    before="$(server_cpu_us)"
    load Unary unary -n "$calls" -c "$connections" -m "$streams"
    after="$(server_cpu_us)"
    printf '%-34s %12s %16s\n' "h2load, $streams on each of $connections" \
      "$(sed -n 's/^finished in .*, \([0-9.]*\) req\/s.*/\1/p' "$work/h2load")" \
      "$(awk -v a="$before" -v b="$after" -v n="$calls" 'BEGIN { printf "%.2f", (b - a) / n }')"
  done <<'LOADS'
1 1 20000
1 10 100000
1 100 300000
10 10 200000
LOADS
  stop_server
  local concurrency
  for concurrency in 1 10 100; do
    start_server
    printf 'load_client, %3d: ' "$concurrency"
    "$bin/load_client" 127.0.0.1 "$port" "$concurrency" 2
    stop_server
  done
}

# instructions METHOD BODY COUNT: of the whole server process that answers COUNT calls.
instructions() {
  start_server valgrind --tool=callgrind --callgrind-out-file="$work/callgrind"
  load "$1" "$2" -n "$3" -c 1 -m 100
  stop_server
  sed -n 's/.*Collected : //p' "$work/server"
}

# Differences of two runs: what starting costs falls out.
measure_instructions() {
  local few many
  few="$(instructions Unary unary 500)"
  many="$(instructions Unary unary 3500)"
  echo "unary call, 16 bytes, 100 on 1 connection: $(((many - few) / 3000)) instructions"
  few="$(instructions ServerStream stream_1000 1)"
  many="$(instructions ServerStream stream_21000 1)"
  echo "server-stream message, 16 bytes: $(((many - few) / 20000)) instructions"
}

case "${1:-}" in
  '') measure_speed ;;
  --instructions) measure_instructions ;;
  *)
    echo "usage: tests/benchmark/run.sh [--instructions]" >&2
    exit 2
    ;;
esac
