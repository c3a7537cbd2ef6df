// Target: the name a channel is made with.
//
//   host:port   dns:host:port   dns:///host:port   ipv4:1.2.3.4:5   ipv6:[::1]:5   unix:/path
//   unix-abstract:name   http://host:port
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace weir {

struct Target {
  std::string text;  // as given
  std::string host;  // without brackets; empty for a Unix socket
  uint16_t port = 0;
  std::string unix_address;  // "unix:/run/x.sock", "unix-abstract:name"; empty: not a Unix socket
  std::string authority;     // for :authority

  // INVALID_ARGUMENT says what was expected. The port defaults to 443, as in gRPC (naming: "dns").
  static absl::StatusOr<Target> Parse(std::string_view text);
};

// The host of an :authority: "a.example" of "a.example:443", "::1" of "[::1]:443".
std::string_view HostOf(std::string_view authority);

}  // namespace weir
