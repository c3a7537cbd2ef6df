#include "weir/rpc/client/state_change.h"

#include <utility>

#include "weir/rpc/client/channel_core.h"
#include "weir/rpc/core/deadline.h"
#include "weir/transport/io/blocking_executor.h"

namespace weir {

StateChangeOperation::StateChangeOperation(std::shared_ptr<ChannelCore> core, ConnectivityState from,
                                           absl::Duration limit)
    : Operation(core->loop()), core_(std::move(core)), from_(from), limit_(limit), state_(from) {}

StateChangeOperation::~StateChangeOperation() {
  if (pending()) Forget();
}

StateChangeOperation StateChangeOperation::Within(absl::Duration limit) const {
  return StateChangeOperation(core_, from_, limit);
}

bool StateChangeOperation::Begin() {
  state_ = core_->state();
  if (state_ != from_) return true;
  core_->WatchState(*this);
  if (limit_ == absl::InfiniteDuration()) return false;
  timer_.emplace(core_->loop(), [this] { GiveUp(); });
  timer_->Set(TimeAfter(core_->loop().Now(), limit_));
  StopTimerAtEnd();
  return false;
}

void StateChangeOperation::Forget() { core_->ForgetState(*this); }

ConnectivityState StateChangeOperation::Wait() {
  if (transport::BlockingExecutor::MayBlock("StateChange().Wait()").ok()) return AsTask(*this).Wait();
  return core_->state();
}

}  // namespace weir
