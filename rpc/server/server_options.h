// ServerOptions: what may be set on a Server. Plain values with working defaults.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "weir/rpc/core/interceptors.h"
#include "weir/rpc/life/connection_options.h"
#include "weir/rpc/wire/compressors.h"
#include "weir/transport/h2/options.h"

namespace weir {

class Admission;

struct ServerOptions {
  // Threads that run connections; each connection stays on one. 0: one per CPU.
  int loop_threads = 0;

  // Threads that run handlers. 0: handlers run on the loop of their connection and must not block; otherwise they run
  // here, may block, and `.Wait()` is allowed in them.
  int worker_threads = 0;

  // Calls whose handlers may wait for one of these threads, on all connections together. One more is refused
  // unprocessed (REFUSED_STREAM: its client repeats it, on another server if it has one), or with RESOURCE_EXHAUSTED if
  // interceptors have seen it. 0: four for each thread, or max_concurrent_streams if that is more, so that one client
  // alone is never refused what it has been allowed.
  size_t queued_handlers_max = 0;

  // Calls that one client connection may have open (SETTINGS_MAX_CONCURRENT_STREAMS). A client with more waits.
  uint32_t max_concurrent_streams = 1000;

  // Calls whose handlers have not returned, on all connections together. One more is refused unprocessed
  // (REFUSED_STREAM: its client repeats it, on another server if it has one). A backstop, so that many connections with
  // max_concurrent_streams each do not add up; to serve what can be served in time, see `admission`. Each loop thread
  // tells the others in steps of a thousandth, so there may be so much more for each.
  size_t max_calls = 100'000;

  // Connections that may be open; one more is closed as soon as it is accepted, which makes its client back off. 0:
  // 10,000, or 80 % of the descriptors that the process may open (RLIMIT_NOFILE) if that is less.
  size_t max_connections = 0;

  // Largest message accepted; a larger one ends its call with RESOURCE_EXHAUSTED.
  size_t max_receive_message_bytes = 4 * 1024 * 1024;

  // Largest message sent, before compression; a larger one ends its call with RESOURCE_EXHAUSTED. Never more than 2
  // GiB, protobuf's own limit.
  size_t max_send_message_bytes = SIZE_MAX;

  // Unary and server-streaming requests are parsed on an arena of their call (ServerContext::arena), and freed with it
  // at once. Worth it for requests of many sub-messages and strings; small flat ones are faster without, in memory that
  // requests before them have left.
  bool message_arena = false;

  // Largest request head accepted, the protocol's own fields included: name + value + 32 bytes for each field, and the
  // number of fields. Announced to the client (SETTINGS_MAX_HEADER_LIST_SIZE). A larger one ends its call with
  // RESOURCE_EXHAUSTED, one over four times a limit the connection.
  uint32_t max_metadata_bytes = 16 * 1024;
  uint32_t max_metadata_fields = 128;

  // Content codings for messages: those that clients may use, and those that handlers may answer in.
  Compressors compressors;
  // How answers are compressed, for clients that understand it, unless the handler says otherwise
  // (ServerContext::SetCompression): a name of `compressors`; empty: not at all, whatever the request uses.
  std::string compression;

  // HTTP/2 receive windows: how much a client may send ahead of the application's reading in one call, and ahead of
  // this process in all calls of a connection.
  uint32_t stream_window_bytes = 256 * 1024;
  uint32_t connection_window_bytes = 1024 * 1024;

  // Bytes that may wait on a connection in calls which nobody reads before these calls hold up the others.
  size_t unread_bytes_max = 16 * 1024 * 1024;

  // How long what a call has written may wait for a client whose HTTP/2 window takes none of it. Then the call ends
  // with CANCELLED, or RST_STREAM if a message has left in part: a handler that awaits Write goes on, a response that
  // its handler has finished is dropped. While memory is short (memory_soft_bytes, or that of its connection) a tenth
  // of it is enough. The call's deadline, if there is one, ends it sooner. InfiniteDuration: for
  // ever, which lets a client that never reads hold its handlers and responses.
  absl::Duration stream_write_stall_timeout = absl::Seconds(300);

  // Bytes that wait on all connections together, as ServerOptions::connection.memory_soft_bytes counts them for one.
  // Beyond the soft ceiling the windows of those that hold something are rationed; beyond the hard one that connection
  // is closed which holds most, of a loop that holds its share. Counted in steps of 64 KiB for each loop. 0: half, and
  // three quarters, of the memory of the machine or of the process's control group (a container's, a systemd unit's).
  // What they have done is in Server::memory_use().
  size_t memory_soft_bytes = 0;
  size_t memory_hard_bytes = 0;

  // What a client may cost by frames that bring no call forward. Errors name them as H2Options::resets and so on.
  transport::H2Budgets budgets;

  // Asked for every call before anything is done for it: rpc/server/admission.h, concurrency_limit.h, gradient_limit.h.
  // Null: all calls are admitted.
  std::shared_ptr<Admission> admission;

  // How long connections live, and what clients must do in which time: rpc/life/connection_options.h.
  ServerConnectionOptions connection;

  // Run around every call, the first one outermost: rpc/core/interceptor.h. None may be null.
  Interceptors interceptors;

  // How long RunUntilSignal lets calls finish after the first signal.
  absl::Duration drain_grace = absl::Seconds(30);
};

// ServerOptions::queued_handlers_max, or what stands for 0.
inline size_t QueuedHandlersMax(const ServerOptions& options) {
  if (options.queued_handlers_max != 0) return options.queued_handlers_max;
  const size_t threads = static_cast<size_t>(std::max(options.worker_threads, 0));
  return std::max<size_t>(4 * threads, options.max_concurrent_streams);
}

}  // namespace weir
