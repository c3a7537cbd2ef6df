#!/bin/bash
# Greeters come, crash and go, and so does etcd; the channel follows, and no call fails that could have been made again.
set -euo pipefail
source examples/testing.sh

server=$1
client=$2
folder=$(mktemp -d /tmp/weir-etcd-XXXXXX) # a Unix socket's name is 107 bytes at most
etcd=unix:$folder/clients:0
declare -A pids
client_pid=
trap 'kill -9 "${pids[@]}" $client_pid 2> /dev/null || true; rm -rf "$folder"' EXIT

# wait_for FILE PATTERN [LINE]: until the file has it, at this line or later.
wait_for() {
  local tries
  for ((tries = 0; tries < 600; ++tries)); do
    if tail -n "+${3:-1}" "$1" 2> /dev/null | grep -qx -- "$2"; then return; fi
    sleep 0.05
  done
  fail "expected \"$2\" in $1, got: $(tail -n 20 "$1")"
}

# Descriptor 5 is the end of the client's input: nobody else may hold it open.

# "unix" wants a host and a port, which become the name of a socket.
start_etcd() {
  rm -f "$folder"/{etcd.log,clients:0,peers:0} # of one that was killed
  (cd "$folder" && exec /usr/bin/etcd --name=only --data-dir=data --unsafe-no-fsync --logger=zap \
    --listen-client-urls=unix://clients:0 --advertise-client-urls=unix://clients:0 --listen-peer-urls=unix://peers:0 \
    --initial-advertise-peer-urls=unix://peers:0 --initial-cluster=only=unix://peers:0) 2> "$folder/etcd.log" 5>&- &
  pids[etcd]=$!
  wait_for "$folder/etcd.log" '.*serving client traffic.*'
}

start_greeter() {
  "$server" "$etcd" "$1" > "$folder/$1" 5>&- &
  pids[$1]=$!
  wait_for "$folder/$1" 'listening on port .*'
}

greeters() { # greeters NAMES: from now on, who answers
  wait_for "$folder/client" "greeters: $1" "$said"
  said=$(($(wc -l < "$folder/client") + 1))
}

registered() { # registered NAME: does etcd know it? By its gateway for JSON.
  curl -s -m 10 --unix-socket "$folder/clients:0" http://etcd/v3/kv/range \
    -d "{\"key\":\"$(printf 'greeters/%s' "$1" | base64)\"}" | grep -q '"kvs"'
}

start_etcd
for name in a b c; do start_greeter "$name"; done
mkfifo "$folder/until"
"$client" "$etcd" < "$folder/until" > "$folder/client" &
client_pid=$!
exec 5> "$folder/until"
said=1

greeters 'a b c'
kill -9 "${pids[b]}" # its address stays in etcd until its lease is over
greeters 'a c'
start_greeter d
greeters 'a c d'
kill -TERM "${pids[a]}"
wait "${pids[a]}" || fail "greeter a ended with $?"
greeters 'c d'
if registered a; then fail "greeter a has ended, and its key is still there"; fi
registered c || fail "greeter c serves, and its key is not there"
for ((tries = 0; tries < 300; ++tries)); do
  registered b || break
  sleep 0.1
done
((tries < 300)) || fail "greeter b was killed 30 s ago, and its lease goes on"
kill -9 "${pids[etcd]}" # the addresses that are known stay in use
start_etcd
start_greeter e
greeters 'c d e'

exec 5>&-
wait "$client_pid" || fail "calls have failed that could have been made again: $(cat "$folder/client")"
grep ' calls, ' "$folder/client"
echo PASSED
