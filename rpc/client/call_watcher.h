// CallWatcher: hears how a call ended that a load-balancing policy has placed; for policies that learn from it.
#pragma once

#include "absl/status/status.h"

namespace weir {

class CallWatcher {
 public:
  virtual ~CallWatcher() = default;

  // At most once, on the channel's loop. `status` is the server's, or ours for it: a deadline, a connection that was
  // lost. Destroyed without: the caller cancelled the call, another attempt was faster, or the call is placed again
  // before it began; the server had no part in that.
  virtual void OnCallEnd(const absl::Status& status) = 0;
};

}  // namespace weir
