#!/usr/bin/env bash
# What each caller was told.
set -euo pipefail
source examples/testing.sh

"$1" > "$TEST_TMPDIR/out" || fail "exit $?: $(cat "$TEST_TMPDIR/out")"
expect_in_order "$TEST_TMPDIR/out" << 'TEXT'
Ada: Hello, Ada, after 2 attempts
nobody: UNAVAILABLE: closed for ever
Bob, once: UNAVAILABLE: busy
TEXT
echo PASSED
