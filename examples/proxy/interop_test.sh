#!/usr/bin/env bash
# interop_test.sh PROXY SERVER CLIENT: the interop cases of gRPC and our own, with the proxy between client and server.
# Not the cases of compression, which is agreed on per connection, nor the one that only takes long.
set -euo pipefail
source examples/testing.sh

readonly PROXY=$1 SERVER=$2 CLIENT=$3

exec 5< <(exec "$SERVER" --port=0)
upstream_pid=$!
read -r line <&5
start_server "$PROXY" localhost:0 "${line##* }" # that is 127.0.0.1:PORT
trap 'kill -9 "$server_pid" "$upstream_pid" 2> /dev/null || true' EXIT
"$CLIENT" --server_host=127.0.0.1 --server_port="$port" --test_case=all,features --except=long_lived_channel \
  --soak_per_iteration_max_acceptable_latency_ms=20000 --soak_overall_timeout_seconds=60
stop_server
# The last case drains the server.
wait "$upstream_pid" || fail "the server behind the proxy ended with $?"
