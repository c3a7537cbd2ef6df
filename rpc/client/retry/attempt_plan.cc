#include "weir/rpc/client/retry/attempt_plan.h"

namespace weir {

AttemptPlan::AttemptPlan(const MethodConfig* config) {
  if (config == nullptr) return;
  retry_ = config->retry;
  hedging_ = config->hedging;
  if (retry_.has_value()) backoff_.emplace(*retry_);
}

std::optional<absl::Duration> AttemptPlan::OnBegin(int begun) const {
  if (!hedging_.has_value() || pushed_back_for_good_ || begun >= hedging_->max_attempts) return std::nullopt;
  return hedging_->delay;
}

// Is a failure with this code one that the policy is made for?
bool AttemptPlan::Counts(absl::StatusCode code) const {
  return retry_.has_value() ? retry_->retryable.Has(code) : hedging_->non_fatal.Has(code);
}

AttemptPlan::Step AttemptPlan::OnFailure(absl::StatusCode code, std::optional<absl::Duration> push_back, int begun,
                                         RetryThrottle* throttle, double uniform) {
  if (!has_policy()) return {};
  const bool never = push_back == absl::InfiniteDuration();
  const bool counts = Counts(code);
  // First, whatever follows: failures with such a code, and those of servers that want no retry, take a token (gRFC A6,
  // Throttling Retry Attempts and Hedged RPCs).
  if (throttle != nullptr && (counts || never)) throttle->OnFailure();
  if (!counts) return {};
  pushed_back_for_good_ |= never;
  // Of several attempts side by side the others may still succeed.
  const Step stop{.then = hedging_.has_value() ? Then::kWait : Then::kFail};
  if (pushed_back_for_good_ || begun >= max_attempts()) return stop;
  if (throttle != nullptr && !throttle->MayRetry()) return stop;
  if (push_back.has_value()) {
    if (backoff_.has_value()) backoff_->Reset();
    return {.then = Then::kTryAgain, .pause = *push_back};
  }
  // Hedging: the next one does not wait for its delay (gRFC A6, Hedging Policy).
  return {.then = Then::kTryAgain, .pause = backoff_.has_value() ? backoff_->Next(uniform) : absl::ZeroDuration()};
}

void AttemptPlan::OnCommittedEnd(absl::StatusCode code, RetryThrottle* throttle) const {
  if (!has_policy() || throttle == nullptr) return;
  if (code == absl::StatusCode::kOk) {
    throttle->OnSuccess();
  } else if (Counts(code)) {
    throttle->OnFailure();
  }
}

}  // namespace weir
