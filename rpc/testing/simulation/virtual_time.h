// VirtualTime: the clocks of a simulation. On the thread that runs one, these are the clocks of everything, because the
// library that holds this defines clock_gettime and absl::Now(): std::chrono's clocks as well, in weir and in the code
// under test. Other threads, and this one outside of a simulation, have the system's time.
//
// Not replaced: time(2), gettimeofday(2), and whatever sleeps.
#pragma once

#include <chrono>
#include <cstdint>

#include "weir/transport/io/executor.h"

namespace weir::testing {

class VirtualTime {
 public:
  VirtualTime() = default;
  VirtualTime(const VirtualTime&) = delete;
  VirtualTime& operator=(const VirtualTime&) = delete;

  transport::MonotonicTime Now() const { return now_; }
  std::chrono::nanoseconds Elapsed() const { return now_ - kBegin; }
  // Never back.
  void AdvanceTo(transport::MonotonicTime time) {
    if (time > now_) now_ = time;
  }

  // The wall clock is set, as by an administrator or NTP; the monotonic one does not know of it.
  void StepWallClock(std::chrono::nanoseconds by) { wall_offset_ += by; }
  std::chrono::nanoseconds WallClock() const;  // since 1970

  // Makes these the clocks of the calling thread.
  class Scope {
   public:
    explicit Scope(VirtualTime& time);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    VirtualTime* const previous_;
  };

 private:
  // Not zero: nobody shall take a time that was never set for one.
  static constexpr transport::MonotonicTime kBegin{std::chrono::hours(24)};

  transport::MonotonicTime now_ = kBegin;
  std::chrono::nanoseconds wall_offset_{};
};

}  // namespace weir::testing
