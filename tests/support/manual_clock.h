// ManualClock: time that passes only when a test says so. Begins at MonotonicTime{}.
#pragma once

#include <chrono>

#include "weir/transport/io/executor.h"

namespace weir::testing {

class ManualClock {
 public:
  transport::MonotonicTime Now() const { return now_; }
  void Advance(std::chrono::nanoseconds by) { now_ += by; }
  void AdvanceTo(transport::MonotonicTime time) {
    if (time > now_) now_ = time;
  }

 private:
  transport::MonotonicTime now_{};
};

}  // namespace weir::testing
