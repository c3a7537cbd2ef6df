// AttemptPlan: decides, by the policy of a call, what follows when an attempt begins or fails. Pure: no time, no
// streams.
//
//   retrying   one attempt at a time; after a failure that may be retried, a pause and the next one
//   hedging    one more attempt every so often, while others run; a failure that is not fatal brings the next one forward
//   neither    the first attempt is the only one
//
// gRFC A6: Retry Policy, Hedging Policy, Pushback, Throttling.
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "weir/rpc/client/retry/retry_backoff.h"
#include "weir/rpc/client/retry/retry_throttle.h"
#include "weir/rpc/client/service_config/service_config.h"

namespace weir {

class AttemptPlan {
 public:
  // What follows a failure.
  enum class Then : uint8_t {
    kFail,      // the call ends with it
    kWait,      // for the attempts that still run; if there are none, the call ends with it
    kTryAgain,  // after `pause`
  };
  struct Step {
    Then then = Then::kFail;
    absl::Duration pause;
  };

  // `config` null, or without a policy: one attempt.
  explicit AttemptPlan(const MethodConfig* config);

  bool has_policy() const { return retry_.has_value() || hedging_.has_value(); }

  // An attempt begins; `begun`: the number of them, this one included. When the next one begins if nothing happens;
  // nullopt: not by itself.
  std::optional<absl::Duration> OnBegin(int begun) const;
  // May an attempt begin that OnBegin has announced?
  bool MayHedge(const RetryThrottle* throttle) const { return throttle == nullptr || throttle->MayRetry(); }

  // One of `begun` attempts failed before the call was committed to it. `push_back`: ParsePushBack; `throttle`: of the
  // channel, null: none; `uniform` in [0, 1).
  Step OnFailure(absl::StatusCode code, std::optional<absl::Duration> push_back, int begun, RetryThrottle* throttle,
                 double uniform);

  // The attempt that the call was committed to has ended: counted, and nothing follows.
  void OnCommittedEnd(absl::StatusCode code, RetryThrottle* throttle) const;

 private:
  bool Counts(absl::StatusCode code) const;
  int max_attempts() const { return retry_.has_value() ? retry_->max_attempts : hedging_->max_attempts; }

  // At most one of the two.
  std::optional<RetryPolicy> retry_;
  std::optional<HedgingPolicy> hedging_;
  std::optional<RetryBackoff> backoff_;
  bool pushed_back_for_good_ = false;
};

}  // namespace weir
