// StateChangeOperation: waits until a channel is in another state.
//
//   weir::ConnectivityState state = channel.state(weir::TryToConnect::kYes);
//   while (state != weir::ConnectivityState::kReady) state = co_await channel.StateChange(state);
//   ... = co_await channel.StateChange(state).Within(absl::Seconds(5));     // or .Wait() on a plain thread
//
// States that last for less than a turn of the loop may be missed.
#pragma once

#include <memory>
#include <optional>

#include "absl/time/time.h"
#include "weir/rpc/client/connectivity_state.h"
#include "weir/rpc/core/operation.h"
#include "weir/transport/io/event_loop.h"

namespace weir {

class ChannelCore;

class [[nodiscard]] StateChangeOperation final : public Operation {
 public:
  StateChangeOperation(std::shared_ptr<ChannelCore> core, ConnectivityState from,
                       absl::Duration limit = absl::InfiniteDuration());
  ~StateChangeOperation();

  // The same, but it gives `from` when the time is over.
  StateChangeOperation Within(absl::Duration limit) const;

  // The state now.
  ConnectivityState await_resume() const { return state_; }
  // On the thread of a loop, which must not wait: the state now.
  ConnectivityState Wait();

 private:
  friend class ChannelCore;
  ConnectivityState from() const { return from_; }
  // The channel knows of it no more.
  void OnState(ConnectivityState state) {
    state_ = state;
    Complete();
  }
  bool Begin() override;
  void Forget() override;
  void StopTimer() override { timer_.reset(); }
  static Task<ConnectivityState> AsTask(StateChangeOperation& self) { co_return co_await self; }

  const std::shared_ptr<ChannelCore> core_;
  const ConnectivityState from_;
  const absl::Duration limit_;
  ConnectivityState state_;
  std::optional<transport::Timer> timer_;
};

}  // namespace weir
