#!/usr/bin/env bash
# plugin_test.sh <protoc> <plugin>: the plugin as protoc runs it, without Bazel.
set -uo pipefail

readonly PROTOC=$1 PLUGIN=$2
readonly OUT=$TEST_TMPDIR/out
readonly EXPECTED=tests/golden/expected
failures=0

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# run <options>: fresh output in $OUT, messages of protoc in $said.
run() {
  rm -rf "$OUT"
  mkdir -p "$OUT"
  said=$("$PROTOC" -I. --plugin=protoc-gen-weir="$PLUGIN" --weir_out="$1:$OUT" tests/golden/greeter.proto 2>&1)
}

# expect_error <options> <text>
expect_error() {
  run "$1" && fail "options $1: expected an error, got none"
  [[ $said == *"tests/golden/greeter.proto: $2" ]] || fail "options $1: expected \"$2\", got \"$said\""
  [[ ! -e $OUT/tests/golden/greeter.weir.pb.h ]] || fail "options $1: expected no output"
}

run "" || fail "without options: $said"
diff "$OUT/tests/golden/greeter.weir.pb.h" "$EXPECTED/greeter.weir.pb.h" || fail "differs from the golden file"
diff "$OUT/tests/golden/greeter.weir.pb.cc" "$EXPECTED/greeter.weir.pb.cc" || fail "differs from the golden file"

run "message_header_extension=.proto.h" || fail "message_header_extension: $said"
grep -q '^#include "tests/golden/greeter.proto.h"$' "$OUT/tests/golden/greeter.weir.pb.h" ||
  fail "message_header_extension has no effect"

[[ ! -e $OUT/tests/golden/greeter.weir.mock.h ]] || fail "mocks that nobody asked for"
run "generate_mock_code=true" || fail "generate_mock_code: $said"
diff "$OUT/tests/golden/greeter.weir.mock.h" "$EXPECTED/greeter.weir.mock.h" || fail "differs from the golden file"

expect_error "generate_mock_code=yes" "generate_mock_code: expected true or false, got \"yes\""
expect_error "colour=red" "unknown option 'colour' (known: generate_mock_code, message_header_extension)"
expect_error "message_header_extension=.h,x" "unknown option 'x' (known: generate_mock_code, message_header_extension)"
expect_error "message_header_extension" "message_header_extension: expected an extension such as .pb.h, got nothing"

((failures == 0)) && echo "PASSED"
exit $((failures > 0))
