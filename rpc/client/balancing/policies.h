// The load-balancing policies that every channel knows, by name.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "weir/rpc/client/load_balancer.h"
#include "weir/rpc/client/service_config/service_config.h"

namespace weir {

// `own` are those of the program, which must outlive the policy; they come first. INVALID_ARGUMENT names the policies
// that there are, or what is wrong with the configuration.
absl::StatusOr<std::unique_ptr<LoadBalancingPolicy>> MakePolicy(const LoadBalancingChoice& choice,
                                                                const LoadBalancers& own, LoadBalancingHelper& helper);

// For choosing among several: is there such a policy?
bool IsPolicyKnown(std::string_view name, const LoadBalancers& own);
// For texts: "nearest, pick_first, ...".
std::string KnownPolicies(const LoadBalancers& own);

}  // namespace weir
