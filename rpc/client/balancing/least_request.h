// least_request_experimental: for each call some addresses are drawn at random, and the one with the fewest calls of
// this channel gets it (gRFC A48). Two are enough to keep away from a server that has become slow.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "weir/rpc/client/load_balancer.h"

namespace weir {

// Config: {"choiceCount": 2}, from 2; more than 10 count as 10 (A48). The name is gRPC's.
absl::StatusOr<std::unique_ptr<LoadBalancingPolicy>> MakeLeastRequest(LoadBalancingHelper& helper,
                                                                      const JsonValue& config);

}  // namespace weir
