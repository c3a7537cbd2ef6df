// H2Options: role, SETTINGS and limits of one connection. Plain values; copied by the connection.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace weir::transport {

enum class Role : uint8_t { kClient, kServer };

// So many at once, and so many per second on average. The average needs H2Connection::AdvanceTime; without it, time
// stands still and `burst` is all there ever is.
struct Rate {
  uint32_t burst = 0;
  uint32_t per_second = 0;
};

// Its shape: SETTINGS, windows, sizes.
struct H2Limits {
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

  // Interim responses (1xx) that a client takes for one call; one more resets the stream with ENHANCE_YOUR_CALM.
  uint8_t interim_responses_max = 16;

  // Server: gRPC's rule for PING (gRFC A8): the least time since the last one, unless HEADERS or DATA were sent since,
  // while streams are open and while none is. An earlier one is a strike, and all strikes are forgiven when HEADERS or
  // DATA leave; one more than ping_strikes_max ends the connection with "too_many_pings". Zero: no such rule.
  using Milliseconds = std::chrono::duration<uint32_t, std::milli>;
  Milliseconds min_ping_interval{0};
  Milliseconds min_idle_ping_interval{0};
  uint32_t ping_strikes_max = 2;
};

// Work that a peer can cause and gets nothing for. Beyond a budget the connection ends: GOAWAY with ENHANCE_YOUR_CALM
// and a text that names the option, then H2ConnectionError. What was spent is in H2Connection::counters(). The defaults
// are far above what any known peer does in earnest.
struct H2Budgets {
  // Server: RST_STREAM (CVE-2023-44487, rapid reset). Cancelled and timed out calls are ordinary in RPC.
  Rate resets{10'000, 1'000};

  // Server: of the last 500 to 1,000 streams, at most 50 % may be reset by the peer within a second of their opening
  // and before a response; the text is "too_many_resets". Each such stream has cost us a handler for nothing.
  uint32_t early_reset_streams_min = 500;
  uint32_t early_reset_percent_max = 50;
  std::chrono::milliseconds early_reset_time{1'000};

  // Errors of one stream for which we send RST_STREAM (CVE-2025-8671, "MadeYouReset"): malformed messages, windows that
  // overflow, frames on streams that the peer has closed, streams that we refuse.
  Rate glitches{1'000, 33};

  // CONTINUATION frames of one header block (CVE-2024-27316, CVE-2024-28182). Of 16 KiB each they hold five times the
  // default of header_list_bytes_max.
  uint32_t continuation_frames_max = 4;

  // Acknowledgements of PING and SETTINGS that the peer lets wait unread (CVE-2019-9512, CVE-2019-9515), and all frames
  // but heads and bodies that it makes us queue between two calls of DataToSend (CVE-2019-9514).
  uint32_t unread_acks_max = 100;
  uint32_t queued_control_frames_max = 1'000;

  // Of one SETTINGS frame, which may name a setting again and again.
  uint32_t settings_entries_max = 32;

  // SETTINGS and PING without ACK. A PING is free if we have sent DATA since the last one: who receives may measure the
  // round trip. The text for PING is "too_many_pings", which gRPC's clients know.
  Rate settings{50, 1};
  Rate pings{100, 10};

  // PRIORITY and PRIORITY_UPDATE (CVE-2019-9513), per stream that was ever opened, and one stream more.
  uint32_t priorities_per_stream = 100;

  // WINDOW_UPDATE (CVE-2019-9511, CVE-2019-9517): 5 + 2 x (streams + this x DATA frames that we have sent).
  uint32_t window_updates_per_data_frame = 10;

  // DATA without payload, or of padding only, that does not end its stream (CVE-2019-9518): one after the other, and in
  // all.
  uint32_t empty_data_in_a_row_max = 100;
  Rate empty_data{1'000, 10};

  // DATA with fewer octets than small_data_bytes that does not end its stream: such a frame costs us as much as a full
  // one. The least message of gRPC has five, so that a stream of small messages is not meant. HEADERS and DATA for
  // streams that are over are charged here, too: those under way when we reset one are no fault. (A server forgives no
  // others, see `glitches`; a client does not tell them apart.)
  uint32_t small_data_bytes = 5;
  Rate small_data{10'000, 5'000};

  // Frames that we ignore: unknown types, GOAWAY, a PING ACK that answers nothing; client: RST_STREAM beyond one for
  // each stream.
  Rate unknown_frames{1'000, 10};
};

struct H2Options : H2Limits, H2Budgets {};

}  // namespace weir::transport
