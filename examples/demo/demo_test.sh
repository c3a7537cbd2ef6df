#!/usr/bin/env bash
# The demonstration says what it should, in that order.
set -euo pipefail
source examples/testing.sh

examples/demo/demo > "$TEST_TMPDIR/out" || fail "exit $?: $(cat "$TEST_TMPDIR/out")"
expect_in_order "$TEST_TMPDIR/out" << 'TEXT'
listens on port
1. Unary
c1 > HEADERS 1 :path=/routeguide.RouteGuide/GetFeature grpc-accept-encoding=identity,gzip,deflate hiker=Ann
c1 < HEADERS 1 greeting="Welcome, Ann"
c1 < HEADERS 1 END_STREAM grpc-status=0 places-known=8
-> Bachalpsee
-> before the reply: greeting = Welcome, Ann
-> after it: places-known = 8
2. Server streaming
c1 < DATA 3
-> Kleine Scheidegg
-> OK
3. Client streaming
c1 > DATA 5
-> 4 points, 15820 m
4. Bidirectional
-> the note before mine: the water is cold
-> OK
5. A deadline
:path=/routeguide.RouteGuide/RouteChat grpc-timeout=
-> DEADLINE_EXCEEDED
6. An error
c1 < HEADERS 11 END_STREAM grpc-status=3
-> INVALID_ARGUMENT: latitude: expected -90 to 90 degrees, got 91
All calls ended as expected.
exited with 0
TEXT
echo PASSED
