#!/usr/bin/env bash
# Runs the server and the client, and compares all that the client prints.
set -euo pipefail
source examples/testing.sh

start_server "$1" localhost:0
"$2" "localhost:$port" > "$TEST_TMPDIR/out"
diff - "$TEST_TMPDIR/out" << 'TEXT' || fail "the client printed something else"
at 46.6702, 8.0229: Bachalpsee
at 0.0000, 0.0000: nothing known
in the area: Schynige Platte, alpine garden
in the area: Maennlichen, viewpoint
in the area: Kleine Scheidegg
walked past 8 points, 8 of them places, 28951 m
a note of 46.6702, 8.0229: the water is cold
a note of 46.6702, 8.0229: the water is cold
a note of 46.6702, 8.0229: went in all the same
TEXT

# Notes stay: a second client finds those of the first.
"$2" "localhost:$port" > "$TEST_TMPDIR/out"
[ "$(grep -c '^a note of' "$TEST_TMPDIR/out")" = 12 ] || fail "expected 12 notes: $(cat "$TEST_TMPDIR/out")"

stop_server
echo PASSED
