// static_weighted_round_robin: calls to all addresses that are connected, in proportion to the weights that the
// resolver gave them (ServerAddress::weight), and spread evenly over time.
//
// Not gRPC's weighted_round_robin (A58), whose weights are what the servers report of their load; hence another name.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "weir/rpc/client/load_balancer.h"

namespace weir {

// Config: nothing.
absl::StatusOr<std::unique_ptr<LoadBalancingPolicy>> MakeWeightedRoundRobin(LoadBalancingHelper& helper,
                                                                            const JsonValue& config);

}  // namespace weir
