// Backoff: the pause between attempts to connect (gRPC connection-backoff). Pure: randomness is an argument.
#pragma once

#include <algorithm>

#include "absl/time/time.h"

namespace weir {

class Backoff {
 public:
  Backoff(absl::Duration initial, absl::Duration max) : initial_(initial), max_(max), next_(initial) {}

  // The pause after one more failure. `uniform` in [0, 1) spreads it by +-20 %.
  absl::Duration Next(double uniform) {
    const absl::Duration pause = next_ * (0.8 + 0.4 * uniform);
    next_ = std::min(next_ * 1.6, max_);
    return pause;
  }
  // Without the spread.
  absl::Duration next() const { return next_; }
  // A connection worked: the server's SETTINGS came.
  void Reset() { next_ = initial_; }

 private:
  const absl::Duration initial_;
  const absl::Duration max_;
  absl::Duration next_;
};

}  // namespace weir
