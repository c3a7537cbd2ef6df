#!/usr/bin/env bash
# The demonstration: a server and a client, two processes. `./dev demo` runs it.
set -euo pipefail
[[ -e examples/testing.sh ]] || cd "$0.runfiles/weir" # started by hand
source examples/testing.sh

start_server examples/route_guide/server localhost:0
echo "The server of examples/route_guide listens on port $port (process $server_pid)."
examples/demo/client "localhost:$port" || fail "the client exited with $?"
echo
echo "The server is told to end, by SIGTERM."
stop_server
echo "   -> it has drained its connections and exited with 0."
echo
echo "Next: bazel run //examples/cancel_and_drain, or read examples/README.md."
