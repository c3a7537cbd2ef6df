# Sourced by the tests of the examples.
#
#   source examples/testing.sh
#   start_server path/to/server localhost:0      # on a port that the system chooses; sets $port and $server_pid
#   ...
#   stop_server                                  # SIGTERM, which drains; fails unless it exits with 0
#   expect_in_order output.txt < lines           # the output has these lines, in this order

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

start_server() {
  local line
  exec 3< <(exec "$@")
  server_pid=$!
  trap 'kill -9 "$server_pid" 2> /dev/null || true' EXIT
  read -r line <&3 || fail "the server ended before it said its port"
  port=${line##* } # "listening on port 41234"
  [[ $port =~ ^[0-9]+$ ]] || fail "expected \"listening on port N\", got \"$line\""
}

stop_server() {
  kill -TERM "$server_pid"
  wait "$server_pid" || fail "the server ended with $?"
  trap - EXIT
}

# expect_in_order <file>: every line of standard input occurs in the file, each after the one before.
expect_in_order() {
  local expected line found
  exec 4< "$1"
  while IFS= read -r expected; do
    found=
    while IFS= read -r line <&4; do
      if [[ $line == *"$expected"* ]]; then
        found=yes
        break
      fi
    done
    [[ $found ]] || fail "expected a line with \"$expected\" after those before it, got: $(cat "$1")"
  done
  exec 4<&-
}
