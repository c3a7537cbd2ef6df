// Which channels go by proxy.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "weir/rpc/client/channel_options.h"
#include "weir/rpc/client/connector.h"
#include "weir/rpc/client/proxy/proxy_settings.h"
#include "weir/rpc/client/target.h"

namespace weir {

// The connector of a channel to `target`, which then has no name to look up any more: the proxy does that. Null: there
// is no proxy, or it is not for this target. INVALID_ARGUMENT: FindProxy.
absl::StatusOr<std::unique_ptr<Connector>> UseProxy(const ChannelOptions& options, const Environment& environment,
                                                    Target* target);

}  // namespace weir
