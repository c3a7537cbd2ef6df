#!/usr/bin/env bash
# Runs the server with the tools of others: curl, nghttp and h2load, each if it is installed; and with our own client.
set -euo pipefail

server=$1
client=$2
work=${TEST_TMPDIR:-$(mktemp -d)}

mkfifo "$work/server.out"
"$server" --port=0 > "$work/server.out" &
server_pid=$!
trap 'kill -9 "$server_pid" 2>/dev/null || true' EXIT
exec 3< "$work/server.out"
read -r line <&3 # "listening on 127.0.0.1:41234"
port=${line##*:}
url=http://127.0.0.1:$port/
head -c 3000000 /dev/urandom > "$work/body"

fail() { echo "FAILED: $*" >&2; exit 1; }

if command -v curl > /dev/null; then
  echo "curl: GET and POST of 3 MB"
  curl -sS --fail --http2-prior-knowledge "$url" | grep -q 'weir h2_echo' || fail "curl GET"
  curl -sS --fail --http2-prior-knowledge --data-binary "@$work/body" "$url" -o "$work/echo"
  cmp "$work/body" "$work/echo" || fail "curl POST: the echo differs"
  status=$(curl -s -o /dev/null -w '%{http_code}' --http2-prior-knowledge -X DELETE "$url")
  [ "$status" = 405 ] || fail "curl DELETE: $status"
  status=$(curl -s -o "$work/http1" -w '%{http_code}' --http1.1 "$url" || true)
  [ "$status" = 400 ] && grep -q 'HTTP/2' "$work/http1" || fail "curl --http1.1: $status $(cat "$work/http1")"
fi
if command -v nghttp > /dev/null; then
  echo "nghttp: GET, and four POSTs of 3 MB at once"
  nghttp "$url" | grep -q 'weir h2_echo' || fail "nghttp GET"
  nghttp -m 4 -d "$work/body" "$url" > "$work/echo"
  [ "$(stat -c %s "$work/echo")" = 12000000 ] || fail "nghttp POST"
fi
if command -v h2load > /dev/null; then
  echo "h2load: 5000 requests on 20 connections, 10 streams each"
  h2load -n 5000 -c 20 -m 10 "$url" | tee "$work/h2load"
  grep -q '5000 succeeded, 0 failed' "$work/h2load" || fail "h2load"
fi

echo "websocket_client: two messages"
"$client" "--port=$port" hello world > "$work/websocket"
printf 'open\necho: hello\necho: world\nclosed\n' | cmp - "$work/websocket" || fail "websocket_client"

echo "WEIR_TRACE=frames: every frame on stderr"
WEIR_TRACE=frames "$client" "--port=$port" 2> "$work/trace" > /dev/null
grep -Eq '^[0-9]+\.[0-9]{3} c1 > PREFACE$' "$work/trace" || fail "trace: no PREFACE left"
grep -Eq '^[0-9]+\.[0-9]{3} c1 < HEADERS 1 :status=200$' "$work/trace" || fail "trace: no HEADERS came"

kill -TERM "$server_pid"
wait "$server_pid" || fail "the server did not end in good order"
trap - EXIT
echo PASSED
