#!/usr/bin/env bash
# The lines that matter, in the order in which they must come.
set -euo pipefail
source examples/testing.sh

"$1" > "$TEST_TMPDIR/out" || fail "exit $?: $(cat "$TEST_TMPDIR/out")"
expect_in_order "$TEST_TMPDIR/out" << 'TEXT'
/hello.Greeter, please: token 1
Ada: Hello, Ada, by Bearer token 1
/hello.Greeter, please: token 2
Bob: Hello, Bob, by Bearer token 2
Cleo: Hello, Cleo, by Bearer token 2
Dan: UNAUTHENTICATED: expected token 1 or 2, got Bearer of another
Eve: UNAUTHENTICATED: expected token 1 or 2, got no token
TEXT
[[ $(grep -c "please" "$TEST_TMPDIR/out") == 2 ]] || fail "expected two tokens to be fetched: $(cat "$TEST_TMPDIR/out")"
echo PASSED
