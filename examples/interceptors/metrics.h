// Metrics: how many calls of each method ended with which status, and how long they took.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "weir/rpc/core/interceptor.h"

namespace interceptors {

class Metrics final : public weir::Interceptor {
 public:
  // Calls that took less than 2^i microseconds, and not less than the one before; the last has all that took longer.
  static constexpr size_t kBuckets = 32;
  struct Latencies {
    uint64_t calls = 0;
    std::array<uint64_t, kBuckets> by_duration{};

    // No call out of `share` (0.99, say) took longer than this: a power of two microseconds, or InfiniteDuration if it
    // is in the last bucket.
    absl::Duration AtMost(double share) const;
  };

  weir::Task<absl::Status> Intercept(const weir::MethodSpec& method, weir::InterceptedCall& call,
                                     const weir::Next& next) override;

  // One line for each method and status, in order: "/hello.Greeter/SayHello OK 12 calls". Any thread.
  std::string Report() const;
  Latencies Get(const std::string& method, absl::StatusCode code) const;

 private:
  void Record(const std::string& method, absl::StatusCode code, absl::Duration duration);

  mutable std::mutex mutex_;  // calls end on several threads
  std::map<std::pair<std::string, absl::StatusCode>, Latencies> latencies_;
};

}  // namespace interceptors
