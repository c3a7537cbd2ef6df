#include "weir/rpc/client/proxy/channel_proxy.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/rpc/client/proxy/proxy_connector.h"

namespace weir {
namespace {

bool MayGoByProxy(const Target& target, const ChannelOptions& options) {
  if (!options.use_proxy || options.name_resolvers.contains(target.scheme) || target.scheme == "file") return false;
  return std::none_of(target.addresses.begin(), target.addresses.end(),
                      [](const transport::SocketAddress& address) { return address.is_unix(); });
}

}  // namespace

absl::StatusOr<std::unique_ptr<Connector>> UseProxy(const ChannelOptions& options, const Environment& environment,
                                                    Target* target) {
  if (!MayGoByProxy(*target, options)) return nullptr;
  absl::StatusOr<std::optional<ProxySettings>> proxy = FindProxy(options.http_proxy, environment);
  if (!proxy.ok()) return proxy.status();
  if (!proxy->has_value()) return nullptr;
  std::string destination;
  if (target->addresses.empty()) {
    if ((*proxy)->no_proxy.Includes(target->host)) return nullptr;
    destination = absl::StrCat(target->host, ":", target->port);
    target->host.clear();
    target->addresses = {transport::SocketAddress()};  // one place, whose address is the proxy's business
  }
  return MakeProxyConnector(*std::move(*proxy), std::move(destination), MakeSocketConnector());
}

}  // namespace weir
