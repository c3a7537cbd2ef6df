#include "weir/rpc/life/timeout.h"

namespace weir {

std::string_view ToString(Timeout which) {
  switch (which) {
    case Timeout::kConnect:
      return "connect_timeout";
    case Timeout::kHandshake:
      return "handshake_timeout";
    case Timeout::kSettingsAck:
      return "settings_ack_timeout";
    case Timeout::kHeaderBlock:
      return "header_block_timeout";
    case Timeout::kWrite:
      return "write_timeout";
    case Timeout::kKeepalive:
      return "keepalive.timeout";
    case Timeout::kMaxAgeGrace:
      return "max_age_grace";
    case Timeout::kMaxIdle:
      return "max_idle";
    case Timeout::kMaxAge:
      return "max_age";
    case Timeout::kMessage:
      return "message_timeout";
    case Timeout::kStreamWriteStall:
      return "stream_write_stall_timeout";
  }
  return "";
}

}  // namespace weir
