#!/usr/bin/env bash
# Looks for the lines that matter in the order in which they must come. Others may stand between them.
set -euo pipefail
source examples/testing.sh

"$1" > "$TEST_TMPDIR/out" || fail "exit $?: $(cat "$TEST_TMPDIR/out")"
expect_in_order "$TEST_TMPDIR/out" << 'TEXT'
1. A client cancels
c1 > HEADERS 1 :path=/counter.Counter/Add
c1 > DATA 1
c1 < DATA 1
answer: 20, from the old server
call.Cancel()
c1 > RST_STREAM 1 CANCEL
handler: nobody waits for my sum of 20 any more
client: the status of the call is CANCELLED
2. A server is replaced
c1 > HEADERS 3
answer: 1, from the old server
c1 < GOAWAY last=2147483647 NO_ERROR
c1 < GOAWAY last=3 NO_ERROR
c2 > PREFACE
c2 > HEADERS 1
answer: 100, from the new server
c1 > DATA 3
answer: 3, from the old server
c1 < HEADERS 3 END_STREAM grpc-status=0
old call: OK
c2 < HEADERS 1 END_STREAM grpc-status=0
new call: OK
old server: drained, OK
TEXT
! grep -q 'RST_STREAM 3\|c1 > HEADERS 5' "$TEST_TMPDIR/out" || fail "a survivor was reset, or a new call came too late"
echo PASSED
