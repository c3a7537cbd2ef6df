// ProxySettings: the HTTP proxy of a channel.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "weir/rpc/client/proxy/no_proxy.h"

namespace weir {

struct ProxySettings {
  std::string host;  // a name, or a numeric address without brackets
  uint16_t port = 0;
  std::string authorization;  // the value of Proxy-Authorization; empty: none
  NoProxy no_proxy;
};

// As ::getenv; null: not set.
using Environment = std::function<const char*(const char* name)>;

// `option`: ChannelOptions::http_proxy, which counts for more than the environment; empty: what that says. nullopt:
// there is no proxy. INVALID_ARGUMENT names the option or variable and what is wrong, without the password.
absl::StatusOr<std::optional<ProxySettings>> FindProxy(const std::string& option, const Environment& environment);

}  // namespace weir
