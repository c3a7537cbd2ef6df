#!/bin/bash
# Who may include whom, and what may be named where: what Bazel's visibility cannot say.
#
#   layering_test.sh FILE        checks the workspace in whose root FILE is, and first that every rule can fail
set -euo pipefail

failures=0

# Lines of code (comments cut off) of the C++ files below the folders given, as "path:line:text".
code() {
  local folders=()
  for folder in "$@"; do [[ -e "$root/$folder" ]] && folders+=("$folder"); done
  ((${#folders[@]})) || return 0
  (cd "$root" && find "${folders[@]}" -type f \( -name '*.h' -o -name '*.cc' \) -print0 | sort -z |
    xargs -0 -r awk '{ sub("//.*", "", $0); print FILENAME ":" FNR ":" $0 }')
}

# forbid RULE PATTERN EXCEPT FOLDER...: no line of code matches PATTERN, but for those that begin (path first) as EXCEPT.
forbid() {
  local rule=$1 pattern=$2 except=$3 found
  shift 3
  found=$(code "$@" | grep -E "^[^:]*:[0-9]*:.*($pattern)" | grep -Ev "^($except)" || true)
  if [[ -n "$found" ]]; then
    echo "layering: $rule" >&2
    echo "$found" | sed 's/^/  /' >&2
    failures=$((failures + 1))
  fi
}

none='$^'
any_line='[^:]*:[0-9]*:'
executors="$any_line#include \"weir/transport/io/(blocking_)?executor\\.h\""
include='#include ["<]'

check() {
  root=$1
  failures=0

  # One place each for what may be replaced one day.
  forbid "nghttp2 is known to transport/h2/session alone" \
    "${include}nghttp2" 'transport/h2/session(\.cc|_(fields|memory)\.h)' transport rpc proto
  forbid "transport/h2/session's parts are its own" \
    "${include}weir/transport/h2/session_" 'transport/h2/session\.cc' transport rpc proto
  forbid "epoll is known to transport/io/epoll_loop alone" \
    "${include}sys/epoll" 'transport/io/epoll_loop\.cc' transport rpc proto
  forbid "OpenSSL is known to transport/io/tls alone" \
    "${include}openssl/" 'transport/io/tls[a-z_]*\.(h|cc)' transport rpc proto
  forbid "what the rest of weir sees of TLS is free of OpenSSL" \
    "${include}(openssl/|weir/transport/io/tls_handles)" "$none" transport/io/tls.h transport/io/tls_options.h
  forbid "rpc sees the options of TLS, and makes it in tls_credentials alone: who does not use it does not link it" \
    "${include}weir/transport/io/tls" \
    "$any_line#include \"weir/transport/io/tls_options\\.h\"|rpc/(client|server)/tls_credentials\.cc:[0-9]*:#include \"weir/transport/io/tls\\.h\"" rpc

  # Bytes and time go in, events and bytes come out.
  local pure=(transport/h2 rpc/core rpc/wire rpc/mux rpc/life)
  forbid "no threads and no locks: a connection lives on one loop" \
    "${include}(thread|mutex|shared_mutex|condition_variable|future|semaphore|pthread\.h|absl/synchronization)|std::(thread|mutex|async)\\b" \
    "$none" "${pure[@]}"
  forbid "no clock is asked: time is an argument" \
    "_clock::now|absl::Now\\(|${include}absl/time/clock\.h|clock_gettime|\\b(sleep|usleep|nanosleep)\\(|sleep_(for|until)" \
    "$none" "${pure[@]}"
  forbid "no sockets and no descriptors" \
    "${include}(sys/|netinet/|arpa/|netdb|unistd|poll\.h|fcntl)" "$none" "${pure[@]}"

  # Arrows point down only.
  forbid "transport knows nothing of RPC" "${include}weir/(rpc|proto)/" "$none" transport
  forbid "transport/h2 knows nothing of transport/io" "${include}weir/transport/io/" "$none" transport/h2
  forbid "transport/memory is the lowest" "${include}weir/(rpc|transport/(h2|io))/" "$none" transport/memory
  forbid "rpc/core sees executors and memory of transport, and nothing above itself" \
    "${include}weir/(rpc/(wire|mux|client|server)/|transport/h2/|transport/io/)" "$executors" rpc/core
  forbid "rpc/wire sees core and the values of transport/h2" \
    "${include}weir/(rpc/(mux|client|server)/|transport/io/|transport/h2/(connection|session|inbox|stream_state|preface|frame))" \
    "$none" rpc/wire
  forbid "rpc/mux sees core, wire and transport/h2: no loop, no socket" \
    "${include}weir/(rpc/(client|server)/|transport/io/)" "$none" rpc/mux
  forbid "rpc/life sees core, values of transport/h2 and the time" \
    "${include}weir/(rpc/(wire|mux|client|server)/|transport/h2/(connection|session|inbox)|transport/io/)" "$executors" \
    rpc/life
  forbid "the client knows nothing of the server" "${include}weir/rpc/server/" "$none" rpc/client
  forbid "the server knows nothing of the client" "${include}weir/rpc/client/" "$none" rpc/server
  forbid "google.rpc.Status is opaque to all but rpc/details, and that is for users" \
    "${include}(weir/rpc/details/|google/rpc/)" 'rpc/details/' rpc
  forbid "what joins client and server is above both" \
    "${include}weir/rpc/(in_process|testing)/|${include}weir/testing/" "$none" \
    rpc/core rpc/wire rpc/mux rpc/client rpc/server transport proto
  forbid "what generated code includes is compiled with every file of a user: no more than it must" \
    "${include}((functional|iostream|list|map|regex|thread|unordered_map|variant)>|absl/container/|weir/rpc/core/interceptor(_chain)?\.h|weir/rpc/client/(channel|channel_options|client_call)\.h|weir/rpc/server/(cancellation|received_head|server_call|server_options)\.h)" \
    "rpc/server/server_context\.h:[0-9]*:#include <functional>" \
    rpc/client/{call_options,client_call_ptr,client_operations,stub}.h \
    rpc/core/{call,message_stream,metadata,operation,outgoing_message,parent_call,resumption,task,timed_operation}.h \
    rpc/server/{cancelled_operation,recycled,server_context,service}.h rpc/wire/{message_codec,messages}.h \
    transport/memory/{block_pool,chunked_bytes,shared_bytes}.h
  forbid "nothing depends on tests or examples" "${include}(weir/)?(tests|examples)/" "$none" transport rpc proto
}

# Each rule once: this line in this file must be found.
baits=(
  'transport/io/dns.cc|#include <nghttp2/nghttp2.h>'
  'transport/h2/inbox.cc|#include "weir/transport/h2/session_fields.h"'
  'transport/io/tcp.h|#include <sys/epoll.h>'
  'rpc/client/channel.h|#include <openssl/ssl.h>'
  'transport/io/tls_options.h|#include <openssl/ssl.h>'
  'rpc/server/tls_credentials.cc|#include "weir/transport/io/tls_context.h"'
  'rpc/client/channel.cc|#include "weir/transport/io/tls.h"'
  'rpc/mux/a.h|#include <mutex>'
  'rpc/wire/a.cc|  std::thread t;'
  'rpc/core/a.cc|  auto now = std::chrono::steady_clock::now();'
  'transport/h2/a.cc|#include <sys/socket.h>'
  'transport/io/a.h|#include "weir/rpc/core/call.h"'
  'transport/h2/a.h|#include "weir/transport/io/executor.h"'
  'transport/memory/a.h|#include "weir/transport/h2/event.h"'
  'rpc/core/a.h|#include "weir/transport/io/event_loop.h"'
  'rpc/core/b.h|#include "weir/rpc/wire/envelope.h"'
  'rpc/wire/a.h|#include "weir/transport/h2/connection.h"'
  'rpc/wire/messages.h|#include "weir/transport/io/event_loop.h"'
  'rpc/mux/b.h|#include "weir/transport/io/event_loop.h"'
  'rpc/life/a.h|#include "weir/rpc/mux/call_stream.h"'
  'rpc/life/b.cc|#include <sys/socket.h>'
  'rpc/client/a.h|#include "weir/rpc/server/server.h"'
  'rpc/server/a.h|#include "weir/rpc/client/channel.h"'
  'rpc/wire/b.cc|#include "google/rpc/status.pb.h"'
  'rpc/server/c.h|#include "weir/rpc/in_process/in_process.h"'
  'rpc/client/b.h|#include "weir/testing/test_server.h"'
  'rpc/client/stub.h|#include "weir/rpc/client/channel.h"'
  'rpc/core/call.h|#include <functional>'
  'rpc/server/b.h|#include "weir/tests/support/fake_loop.h"'
)

self_test() {
  local tree bait path
  for bait in "${baits[@]}"; do
    tree=$(mktemp -d)
    path=${bait%%|*}
    mkdir -p "$tree/$(dirname "$path")"
    printf '%s\n' "${bait#*|}" >"$tree/$path"
    check "$tree" 2>/dev/null
    if ((failures == 0)); then
      echo "layering_test: no rule finds '${bait#*|}' in $path" >&2
      exit 1
    fi
    printf '// %s\n' "${bait#*|}" >"$tree/$path"
    check "$tree"
    if ((failures != 0)); then
      echo "layering_test: a comment was taken for code: '${bait#*|}' in $path" >&2
      exit 1
    fi
    rm -rf "$tree"
  done
}

workspace=$(dirname "$(readlink -f "$1")")
self_test
check "$workspace"
if ((failures != 0)); then
  echo "layering: $failures rule(s) broken; see rpc/README.md for the drawing" >&2
  exit 1
fi
echo "layering: in order"
