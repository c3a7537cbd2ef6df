// H2Options: role, SETTINGS and limits of one connection. Plain values; copied by the connection.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir::transport {

enum class Role : uint8_t { kClient, kServer };

struct H2Options {
  Role role = Role::kServer;

  // SETTINGS_MAX_CONCURRENT_STREAMS that we announce: streams the peer may have open. 1..2^31-1.
  uint32_t max_concurrent_streams = 1000;

  // Receive windows in octets, up to 2^31-1 (RFC 9113 section 6.9.2): per stream and for the connection.
  uint32_t stream_window_bytes = 256 * 1024;
  uint32_t connection_window_bytes = 1024 * 1024;

  // Body bytes of all streams together that may wait for the application before the connection's window closes. Up to
  // here they return to that window when they come, so that a few calls that nobody reads do not stop the others; each
  // stream's own window waits for ConsumeData in any case. This bounds the memory that a peer can make us hold.
  size_t held_bytes_max = 16 * 1024 * 1024;

  // Largest header block accepted, counted as RFC 9113 section 6.5.2 does and announced as
  // SETTINGS_MAX_HEADER_LIST_SIZE, and the number of its fields. A block over a limit is decoded to its end (the
  // compression context must stay in step) but not stored: a request's head becomes H2RequestTooLarge, any other block
  // resets its stream with ENHANCE_YOUR_CALM. A block over four times the limit ends the connection with it.
  uint32_t header_list_bytes_max = 16 * 1024;
  uint32_t header_fields_max = 128;

  // Octets that one stream may have queued, accepted by SendData but not yet pulled by DataToSend.
  size_t send_queue_bytes_max = 64 * 1024;

  // A body given by reference is queued as far as flow control allows while a stream has less than this queued: its
  // memory is held anyway, and the larger the write, the fewer wake-ups it costs both sides.
  size_t shared_queue_bytes_max = 256 * 1024;

  // Client: the id of the first request, odd. For tests of what happens when ids run out.
  uint32_t first_stream_id = 1;

  // Announce SETTINGS_ENABLE_CONNECT_PROTOCOL (server; RFC 8441 section 3).
  bool extended_connect = true;

  // RST_STREAM frames that a client may send: burst, and refill per second (CVE-2023-44487). Cancelled and timed out
  // calls are ordinary in RPC, so these are far above the library's own defaults.
  uint64_t reset_burst = 10000;
  uint64_t reset_per_second = 1000;
};

}  // namespace weir::transport
