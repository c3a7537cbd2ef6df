// ring_hash_experimental: calls with the same value in a header of the request go to the same server, as long as that
// can be connected to (gRFC A42, A76). Servers are connected to when a call is for them.
//
//   call --value of requestHashHeader--> StableHash --> HashRing --> server: ready: goes there; idle: connects, and waits;
//                                                                    failed: the next one on the ring
//
// The hash is weir's own: weir's clients agree among each other, not with those of other gRPCs.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "weir/rpc/client/load_balancer.h"

namespace weir {

// Config: {"requestHashHeader": "tenant", "minRingSize": 1024, "maxRingSize": 4096}. Without header, and for calls that
// do not have it, any server will do: one that is ready comes first. Ring sizes from 1 to 4096.
absl::StatusOr<std::unique_ptr<LoadBalancingPolicy>> MakeRingHash(LoadBalancingHelper& helper, const JsonValue& config);

}  // namespace weir
