// round_robin: calls to all addresses that are connected, in turn. It begins anywhere, so that many clients do not all
// begin with the same server.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "weir/rpc/client/load_balancer.h"

namespace weir {

// Config: nothing.
absl::StatusOr<std::unique_ptr<LoadBalancingPolicy>> MakeRoundRobin(LoadBalancingHelper& helper,
                                                                    const JsonValue& config);

}  // namespace weir
