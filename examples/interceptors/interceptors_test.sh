#!/usr/bin/env bash
# The lines that matter, in the order in which they must come.
set -euo pipefail
source examples/testing.sh

"$1" > "$TEST_TMPDIR/out" || fail "exit $?: $(cat "$TEST_TMPDIR/out")"
expect_in_order "$TEST_TMPDIR/out" << 'TEXT'
client: /hello.Greeter/SayHello 127.0.0.1:
no answer: UNAUTHENTICATED: authorization: expected "Bearer <token>", got none; log in first
client: /hello.Greeter/SayHello 127.0.0.1:
answer: Hello, Ali
/hello.Greeter/SayHello OK 1 call
/hello.Greeter/SayHello UNAUTHENTICATED 1 call
TEXT
grep -q ' OK .*, 1 request of 5 bytes, 1 response of 17 bytes' "$TEST_TMPDIR/out" || fail "$(cat "$TEST_TMPDIR/out")"
echo PASSED
