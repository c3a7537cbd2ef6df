#!/usr/bin/env bash
# What the server says of each field arrives.
set -euo pipefail
source examples/testing.sh

start_server "$1" localhost:0

"$2" "localhost:$port" "" nobody 17 >"$TEST_TMPDIR/out" && fail "expected the registration to fail"
expect_in_order "$TEST_TMPDIR/out" <<'TEXT'
the registration is incomplete
  name: expected one, got none
  mail: expected an address like a@b.example
  age: expected at least 18
TEXT

"$2" "localhost:$port" ann ann@b.example 42 >"$TEST_TMPDIR/out" || fail "$(cat "$TEST_TMPDIR/out")"
expect_in_order "$TEST_TMPDIR/out" <<<"registered as ann-1"

stop_server
