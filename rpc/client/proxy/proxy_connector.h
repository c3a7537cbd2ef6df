// Connects through an HTTP proxy.
#pragma once

#include <memory>
#include <string>

#include "weir/rpc/client/connector.h"
#include "weir/rpc/client/proxy/proxy_settings.h"

namespace weir {

// To the proxy by `next`, and through it to the address that is asked for; if there is none, to `destination`,
// "host:port". Addresses that the proxy's exceptions include are connected to by `next`.
std::unique_ptr<Connector> MakeProxyConnector(ProxySettings proxy, std::string destination,
                                              std::unique_ptr<Connector> next);

}  // namespace weir
