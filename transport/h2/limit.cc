#include "weir/transport/h2/limit.h"

namespace weir::transport {

std::string_view ToString(H2Limit which) {
  switch (which) {
    case H2Limit::kHeaderList:
      return "header_list_bytes_max";
    case H2Limit::kContinuationFrames:
      return "continuation_frames_max";
    case H2Limit::kResets:
      return "resets";
    case H2Limit::kEarlyResets:
      return "early_reset_percent_max";
    case H2Limit::kGlitches:
      return "glitches";
    case H2Limit::kUnreadAcks:
      return "unread_acks_max";
    case H2Limit::kQueuedControlFrames:
      return "queued_control_frames_max";
    case H2Limit::kSettings:
      return "settings";
    case H2Limit::kSettingsEntries:
      return "settings_entries_max";
    case H2Limit::kPings:
      return "pings";
    case H2Limit::kPingStrikes:
      return "min_ping_interval";
    case H2Limit::kPriorities:
      return "priorities_per_stream";
    case H2Limit::kWindowUpdates:
      return "window_updates_per_data_frame";
    case H2Limit::kEmptyData:
      return "empty_data";
    case H2Limit::kEmptyDataInARow:
      return "empty_data_in_a_row_max";
    case H2Limit::kSmallData:
      return "small_data";
    case H2Limit::kUnknownFrames:
      return "unknown_frames";
  }
  return "?";
}

}  // namespace weir::transport
