# Sourced by the tests of the examples: a server on a port that the system chooses.
#
#   source examples/testing.sh
#   start_server path/to/server localhost:0      # sets $port and $server_pid
#   ...
#   stop_server                                  # SIGTERM, which drains; fails unless it exits with 0

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
