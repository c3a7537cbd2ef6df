// ServerAddress: one address of a service, as a resolver names it and a load-balancing policy uses it. A value.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "weir/transport/io/socket_address.h"

namespace weir {

struct ServerAddress {
  transport::SocketAddress address;
  // How much of the calls it gets, beside the weights of the others, of policies that heed it. At least 1.
  uint32_t weight = 1;
  // What a resolver wants a policy of the same author to know. weir's own neither set nor read any.
  std::map<std::string, std::string> attributes;

  friend bool operator==(const ServerAddress&, const ServerAddress&) = default;
};

}  // namespace weir
