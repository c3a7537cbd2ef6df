// RetryBackoff: the pause before a retry (gRFC A6). Pure: randomness is an argument.
#pragma once

#include <algorithm>

#include "absl/time/time.h"
#include "weir/rpc/client/service_config/service_config.h"

namespace weir {

class RetryBackoff {
 public:
  explicit RetryBackoff(const RetryPolicy& policy) : policy_(policy), next_(policy.initial_backoff) {}

  // initialBackoff, times backoffMultiplier for each further one, at most maxBackoff, and all of that +-20 % (gRFC A6,
  // Exponential Backoff). `uniform` in [0, 1).
  absl::Duration Next(double uniform) {
    const absl::Duration pause = std::min(next_, policy_.max_backoff) * (0.8 + 0.4 * uniform);
    next_ = std::min(next_ * policy_.backoff_multiplier, policy_.max_backoff);
    return pause;
  }
  // The server has said itself when to come again.
  void Reset() { next_ = policy_.initial_backoff; }

 private:
  const RetryPolicy policy_;
  absl::Duration next_;
};

}  // namespace weir
