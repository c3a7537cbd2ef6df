#!/usr/bin/env bash
# Runs the server and the client as a reader of the README would, but for the port.
set -euo pipefail
source examples/testing.sh

start_server "$1" localhost:0

[ "$("$2" "localhost:$port")" = "Hello, world" ] || fail "the client without a name"
[ "$("$2" "localhost:$port" weir)" = "Hello, weir" ] || fail "the client with a name"
if "$1" "localhost:$port" 2> "$TEST_TMPDIR/error"; then fail "a second server on the same port"; fi
grep -q "localhost\|127.0.0.1:$port" "$TEST_TMPDIR/error" || fail "no address in: $(cat "$TEST_TMPDIR/error")"

stop_server
if "$2" "localhost:$port" 2> "$TEST_TMPDIR/error"; then fail "a client without a server"; fi
grep -q "UNAVAILABLE: /hello.Greeter/SayHello to localhost:$port: cannot connect: " "$TEST_TMPDIR/error" || fail "got: $(cat "$TEST_TMPDIR/error")"
echo PASSED
