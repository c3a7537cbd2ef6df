// Target: the name a channel is made with.
//
//   host:port   dns:host:port   dns:///host:port   dns://9.9.9.9:53/host:port   ipv4:1.2.3.4:5,6.7.8.9:10   ipv6:[::1]:5,...   unix:/path
//   unix-abstract:name   file:/path   passthrough:///host:port   http://host:port   and those of a program's own resolvers
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "weir/rpc/client/name_resolver.h"
#include "weir/transport/io/socket_address.h"

namespace weir {

struct Target {
  std::string text;    // as given
  std::string scheme;  // "dns" if none is given
  std::string host;    // to be looked up; without brackets; empty: there are addresses, or a path
  uint16_t port = 0;
  std::optional<transport::SocketAddress> dns_server;  // to be asked for `host`; nullopt: the system's resolver
  std::vector<transport::SocketAddress> addresses;     // that need no lookup
  std::string path;                                    // of a file; of a scheme of the program: what follows "scheme:"
  std::string authority;                               // for :authority

  // INVALID_ARGUMENT says what was expected. The port defaults to 443, as in gRPC (naming: "dns"). `schemes` are those
  // of the program's own resolvers.
  static absl::StatusOr<Target> Parse(std::string_view text, const NameResolvers& schemes = {});
};

// The host of an :authority: "a.example" of "a.example:443", "::1" of "[::1]:443".
std::string_view HostOf(std::string_view authority);

}  // namespace weir
