// H2Counters: what a peer has made a connection do. Plain numbers, for whoever owns the connection to read or to add
// up.
//
// Each that has a limit names it: the option of H2Options beyond which the connection ends with ENHANCE_YOUR_CALM.
#pragma once

#include <cstdint>

namespace weir::transport {

struct H2Counters {
  uint64_t frames = 0;          // of all types; a frame is counted when its nine octets have come
  uint64_t streams = 0;         // server: opened by the peer
  uint64_t resets = 0;          // RST_STREAM (server: H2Options::resets)
  uint64_t early_resets = 0;    // server: ... soon after the request and before a response (early_reset_streams_min)
  uint64_t glitches = 0;        // errors of one stream, each answered with a RST_STREAM (glitches)
  uint64_t settings = 0;        // SETTINGS without ACK (settings)
  uint64_t pings = 0;           // PING without ACK (pings)
  uint64_t priorities = 0;      // PRIORITY and PRIORITY_UPDATE (priorities_per_stream)
  uint64_t window_updates = 0;  // WINDOW_UPDATE (window_updates_per_data_frame)
  uint64_t empty_data = 0;      // DATA without payload and END_STREAM (empty_data, empty_data_in_a_row_max)
  uint64_t small_data = 0;      // DATA with few octets, and frames for streams that are over (small_data)
  uint64_t unknown = 0;         // frames that we ignore, see H2Budgets (unknown_frames)
};

}  // namespace weir::transport
