#!/bin/sh
# soak_test.sh SOAK: few calls, of which none may end otherwise than expected. What memory does so early says nothing.
"$1" --calls=20000 | tee "$TEST_TMPDIR/out"
grep -q 'unexpected end 0$' "$TEST_TMPDIR/out"
