#include "weir/rpc/client/channel_retries.h"

#include <utility>

#include "weir/rpc/client/channel_core.h"
#include "weir/rpc/client/retry/call_attempts.h"

namespace weir {

ChannelRetries::ChannelRetries(ChannelCore& core)
    : core_(core), random_(static_cast<unsigned>(core.loop().RandomSeed())) {}

void ChannelRetries::Use(const ServiceConfig* config) {
  if (config == nullptr || !config->retry_throttling.has_value()) return throttle_.reset();
  if (throttle_.has_value() && throttle_->limits() == *config->retry_throttling) return;
  const double filled = throttle_.has_value() ? throttle_->filled() : 1;
  throttle_.emplace(*config->retry_throttling, filled);
}

void ChannelRetries::Place(std::shared_ptr<StreamRequest> attempt) { core_.Place(std::move(attempt)); }
void ChannelRetries::Forget(const StreamRequest& attempt) { core_.Forget(attempt); }
transport::EventLoop& ChannelRetries::loop() { return core_.loop(); }

bool ChannelRetries::credentials_over_plaintext() const { return core_.options().call_credentials_over_plaintext; }

bool ChannelRetries::OnPause(CallAttempts& attempts, std::list<CallAttempts*>::iterator* place) {
  if (closed_) return true;
  *place = paused_.insert(paused_.end(), &attempts);
  return false;
}

void ChannelRetries::Shutdown(const absl::Status& why) {
  closed_ = true;
  // Each takes itself off its list.
  while (!paused_.empty()) paused_.front()->OnChannelClosed(why);
  while (!authorizing_.empty()) authorizing_.front()->OnNoStream(why);
}

}  // namespace weir
