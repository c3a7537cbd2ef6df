// H2Limit: the limits of H2Options beyond which a connection ends with ENHANCE_YOUR_CALM, each called as its option.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace weir::transport {

enum class H2Limit : uint8_t {
  kHeaderList,           // header_list_bytes_max, header_fields_max: a block over four times one of them
  kContinuationFrames,   // continuation_frames_max
  kResets,               // server: resets
  kEarlyResets,          // server: early_reset_percent_max
  kGlitches,             // glitches
  kUnreadAcks,           // unread_acks_max
  kQueuedControlFrames,  // queued_control_frames_max
  kSettings,             // settings
  kSettingsEntries,      // settings_entries_max
  kPings,                // pings
  kPingStrikes,          // server: min_ping_interval, ping_strikes_max
  kPriorities,           // priorities_per_stream
  kWindowUpdates,        // window_updates_per_data_frame
  kEmptyData,            // empty_data
  kEmptyDataInARow,      // empty_data_in_a_row_max
  kSmallData,            // small_data
  kUnknownFrames,        // unknown_frames
};

inline constexpr std::array kH2Limits = {
    H2Limit::kHeaderList,
    H2Limit::kContinuationFrames,
    H2Limit::kResets,
    H2Limit::kEarlyResets,
    H2Limit::kGlitches,
    H2Limit::kUnreadAcks,
    H2Limit::kQueuedControlFrames,
    H2Limit::kSettings,
    H2Limit::kSettingsEntries,
    H2Limit::kPings,
    H2Limit::kPingStrikes,
    H2Limit::kPriorities,
    H2Limit::kWindowUpdates,
    H2Limit::kEmptyData,
    H2Limit::kEmptyDataInARow,
    H2Limit::kSmallData,
    H2Limit::kUnknownFrames,
};

// The option's name: "small_data".
std::string_view ToString(H2Limit which);

}  // namespace weir::transport
