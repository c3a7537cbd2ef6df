// ChannelRetries: what all retried calls of a channel share: tokens, memory for what was sent, and the list of those
// that wait for their next attempt, which nobody else knows of.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <random>

#include "absl/status/status.h"
#include "weir/rpc/client/retry/attempted_call.h"

namespace weir {

class ChannelCore;

class ChannelRetries final : public AttemptsHost {
 public:
  // `core` owns this.
  explicit ChannelRetries(ChannelCore& core);

  // `config` counts from now on; null: none. Tokens are carried over, in proportion.
  void Use(const ServiceConfig* config);

  // Ends the calls that wait, and those that would.
  void Shutdown(const absl::Status& why);
  size_t paused_count() const { return paused_.size(); }

  void Place(std::shared_ptr<StreamRequest> attempt) override;
  void Forget(const StreamRequest& attempt) override;
  transport::EventLoop& loop() override;
  ReplayBudget& replay_budget() override { return budget_; }
  RetryThrottle* throttle() override { return throttle_.has_value() ? &*throttle_ : nullptr; }
  double Random() override { return std::uniform_real_distribution<double>()(random_); }
  bool OnPause(CallAttempts& attempts, std::list<CallAttempts*>::iterator* place) override;
  void OnGoesOn(std::list<CallAttempts*>::iterator place) override { paused_.erase(place); }

 private:
  ChannelCore& core_;
  ReplayBudget budget_;
  std::optional<RetryThrottle> throttle_;
  std::minstd_rand random_;
  std::list<CallAttempts*> paused_;  // in the order in which they began to wait
  bool closed_ = false;
};

}  // namespace weir
