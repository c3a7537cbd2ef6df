// Timeout: the times that a peer has, each called as its option.
//
//   server.timeout_count(weir::Timeout::kHandshake)     // clients that connected and did not go on
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace weir {

enum class Timeout : uint8_t {
  // A connection is closed.
  kConnect,      // client: connect_timeout
  kHandshake,    // server: handshake_timeout
  kSettingsAck,  // settings_ack_timeout
  kHeaderBlock,  // header_block_timeout
  kWrite,        // write_timeout
  kKeepalive,    // keepalive.timeout
  kMaxAgeGrace,  // server: max_age_grace
  // A connection is drained.
  kMaxIdle,  // server: max_idle
  kMaxAge,   // server: max_age
  // A call ends.
  kMessage,           // server: message_timeout
  kStreamWriteStall,  // server: stream_write_stall_timeout
};

inline constexpr std::array kTimeouts = {
    Timeout::kConnect, Timeout::kHandshake, Timeout::kSettingsAck,      Timeout::kHeaderBlock,
    Timeout::kWrite,   Timeout::kKeepalive, Timeout::kMaxAgeGrace,      Timeout::kMaxIdle,
    Timeout::kMaxAge,  Timeout::kMessage,   Timeout::kStreamWriteStall,
};

// The option's name: "keepalive.timeout".
std::string_view ToString(Timeout which);

}  // namespace weir
