// RetryThrottle: tokens of a channel that its failing attempts use up, so that retries do not finish off a service that
// is down (gRFC A6, Throttling Retry Attempts and Hedged RPCs).
#pragma once

#include <algorithm>

#include "weir/rpc/client/service_config/service_config.h"

namespace weir {

class RetryThrottle {
 public:
  // `filled`: of max_tokens, 0 to 1: what a throttle before this one had.
  explicit RetryThrottle(const RetryThrottling& limits, double filled = 1)
      : limits_(limits), tokens_(limits.max_tokens * filled) {}

  // An attempt failed with a code that may be retried (hedging: that is not fatal), or was pushed back for good.
  void OnFailure() { tokens_ = std::max(tokens_ - 1, 0.0); }
  void OnSuccess() { tokens_ = std::min(tokens_ + limits_.token_ratio, limits_.max_tokens); }

  // Over half of the tokens are left. First attempts always may.
  bool MayRetry() const { return tokens_ > limits_.max_tokens / 2; }
  const RetryThrottling& limits() const { return limits_; }
  double filled() const { return tokens_ / limits_.max_tokens; }

 private:
  const RetryThrottling limits_;
  double tokens_;
};

}  // namespace weir
