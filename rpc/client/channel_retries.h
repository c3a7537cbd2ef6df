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
  // Those that nobody else knows of: between two attempts, or asking their credentials.
  size_t waiting_count() const { return paused_.size() + authorizing_.size(); }

  void Place(std::shared_ptr<StreamRequest> attempt) override;
  void Forget(const StreamRequest& attempt) override;
  transport::EventLoop& loop() override;
  ReplayBudget& replay_budget() override { return budget_; }
  RetryThrottle* throttle() override { return throttle_.has_value() ? &*throttle_ : nullptr; }
  double Random() override { return std::uniform_real_distribution<double>()(random_); }
  bool credentials_over_plaintext() const override;
  std::list<StreamRequest*>::iterator OnAuthorizing(StreamRequest& attempt) override {
    return authorizing_.insert(authorizing_.end(), &attempt);
  }
  void OnAuthorized(std::list<StreamRequest*>::iterator place) override { authorizing_.erase(place); }
  bool OnPause(CallAttempts& attempts, std::list<CallAttempts*>::iterator* place) override;
  void OnGoesOn(std::list<CallAttempts*>::iterator place) override { paused_.erase(place); }

 private:
  ChannelCore& core_;
  ReplayBudget budget_;
  std::optional<RetryThrottle> throttle_;
  std::minstd_rand random_;
  // In the order in which they began to wait.
  std::list<CallAttempts*> paused_;
  std::list<StreamRequest*> authorizing_;
  bool closed_ = false;
};

}  // namespace weir
