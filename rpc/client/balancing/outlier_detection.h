// outlier_detection: leaves out addresses whose calls fail more often than those of the others, for a while (gRFC A50).
// Another policy, its child, spreads the calls:
//
//   child --CreateSubchannel--> outlier_detection --CreateSubchannel--> channel
//         <----states, but kTransientFailure while ejected----
//   calls --Pick--> its picker, around the child's: counts how the calls end
//
// The connection of an ejected address stays. Subchannels that are to be kReady when they are connected (pick_first)
// are neither counted nor ejected.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "weir/rpc/client/load_balancer.h"

namespace weir {

// `own`: the program's policies, which may be children. Config: outlier_config.h, with gRPC's names.
absl::StatusOr<std::unique_ptr<LoadBalancingPolicy>> MakeOutlierDetection(LoadBalancingHelper& helper,
                                                                          const JsonValue& config,
                                                                          const LoadBalancers& own);

}  // namespace weir
