#include "weir/rpc/client/balancing/pickers.h"

#include <algorithm>

#include "absl/time/time.h"
#include "weir/rpc/client/connect_failure.h"

namespace weir {

Pick FailurePicker::PickFor(const PickRequest& request) {
  absl::Duration pause = absl::InfiniteDuration();
  for (const Subchannel* subchannel : subchannels_) {
    const bool pauses = subchannel->state() == ConnectivityState::kTransientFailure;
    pause = std::min(pause, pauses ? absl::FromChrono(subchannel->pause_ends() - request.now) : absl::ZeroDuration());
  }
  return Pick::Fail(CannotConnect(reason_, subchannels_.size() - 1, pause));
}

}  // namespace weir
