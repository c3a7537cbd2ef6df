#!/usr/bin/env bash
# golden.sh check|update <generated files>: compares generated code with tests/golden/expected, or replaces that.
set -euo pipefail

mode=$1
shift
readonly EXPECTED=tests/golden/expected

check() {
  local status=0 file expected
  for file in "$@"; do
    diff -u --label expected --label generated "$EXPECTED/${file##*/}" "$file" || status=1
  done
  for expected in "$EXPECTED"/*; do
    printf '%s\n' "$@" | grep -q "/${expected##*/}\$" || {
      echo "$expected: nothing generates this file any more"
      status=1
    }
  done
  ((status == 0)) || echo "If this is what you want: bazel run //tests/proto:update_goldens"
  return "$status"
}

update() {
  local target=$BUILD_WORKSPACE_DIRECTORY/$EXPECTED
  rm -rf "$target"
  mkdir -p "$target"
  install -m 644 "$@" "$target"
  echo "wrote $# files to $target"
}

(($#)) || { echo "golden.sh: expected generated files, got none" >&2; exit 1; }
"$mode" "$@"
