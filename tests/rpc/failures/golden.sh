#!/usr/bin/env bash
# golden.sh check|update <program>: compares what the program prints with failures.md, or replaces that.
set -euo pipefail

mode=$1 program=$PWD/$2
readonly PAGE=tests/rpc/failures/failures.md
export TEST_TMPDIR=${TEST_TMPDIR:-$(mktemp -d)}

case $mode in
  check)
    "$program" >"$TEST_TMPDIR/printed.md"
    diff -u --label expected --label printed "$PAGE" "$TEST_TMPDIR/printed.md" || {
      echo "If this is what you want: bazel run //tests/rpc/failures:update, and read the diff as a user would"
      exit 1
    }
    ;;
  update)
    "$program" >"$BUILD_WORKSPACE_DIRECTORY/$PAGE"
    echo "wrote $PAGE"
    ;;
esac
