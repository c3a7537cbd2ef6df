// TokenBucket: how often something may happen: `burst` times at once, and `per_second` on average.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "weir/transport/h2/options.h"

namespace weir::transport {

// Time that never goes back, as in transport/io: here it is an argument.
using MonotonicTime = std::chrono::steady_clock::time_point;

class TokenBucket {
 public:
  explicit TokenBucket(Rate rate) : rate_(rate), tokens_(rate.burst) {}

  // Takes a token. False: there is none.
  bool Take(MonotonicTime now) {
    if (tokens_ == 0) Refill(now);
    if (tokens_ == 0) return false;
    --tokens_;
    return true;
  }

  Rate rate() const { return rate_; }

 private:
  // Only when it is empty, so that a token costs no look at the time. What one such period gives is at most a burst; so
  // this is never stricter than a bucket that fills all the time, and allows at most a burst more.
  void Refill(MonotonicTime now) {
    constexpr int64_t kSecond = 1'000'000'000;
    const int64_t passed = std::chrono::duration_cast<std::chrono::nanoseconds>(now - refilled_).count();
    if (rate_.per_second == 0 || passed <= 0) return;
    const int64_t per_token = std::max<int64_t>(1, kSecond / rate_.per_second);
    const int64_t gained = passed / per_token;
    if (gained == 0) return;
    if (gained >= rate_.burst) {
      tokens_ = rate_.burst;
      refilled_ = now;
    } else {
      tokens_ = static_cast<uint32_t>(gained);
      refilled_ += std::chrono::nanoseconds(gained * per_token);
    }
  }

  Rate rate_;
  uint32_t tokens_;
  MonotonicTime refilled_{};
};

}  // namespace weir::transport
