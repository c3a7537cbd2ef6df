#!/usr/bin/env bash
# What the client was answered, in order; and that both greeters were told that nobody waits.
set -euo pipefail
source examples/testing.sh

"$1" > "$TEST_TMPDIR/out" || fail "exit $?: $(cat "$TEST_TMPDIR/out")"
expect_in_order "$TEST_TMPDIR/out" << 'TEXT'
Ada: Hello, Ada. Bonjour, Ada.
nobody: NOT_FOUND: there is nobody here
TEXT
for line in "snail: DEADLINE_EXCEEDED" "Hello: nobody waits" "Bonjour: nobody waits"; do
  grep -q "^$line" "$TEST_TMPDIR/out" || fail "expected a line \"$line...\", got: $(cat "$TEST_TMPDIR/out")"
done
echo PASSED
