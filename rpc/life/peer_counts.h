// PeerCounts: what peers have ended by: how often each of the times was over that they have, and how often one of them
// went beyond each of the limits of HTTP/2.
//
// Counted on loops, read by any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "weir/rpc/life/timeout.h"
#include "weir/transport/h2/limit.h"

namespace weir {

class PeerCounts {
 public:
  void Add(Timeout which, uint64_t times = 1) { AddTo(&timeouts_[static_cast<size_t>(which)], times); }
  void Add(transport::H2Limit which) { AddTo(&limits_[static_cast<size_t>(which)], 1); }

  uint64_t count(Timeout which) const { return timeouts_[static_cast<size_t>(which)].load(std::memory_order_relaxed); }
  uint64_t count(transport::H2Limit which) const {
    return limits_[static_cast<size_t>(which)].load(std::memory_order_relaxed);
  }

 private:
  static void AddTo(std::atomic<uint64_t>* count, uint64_t times) {
    count->fetch_add(times, std::memory_order_relaxed);
  }

  std::array<std::atomic<uint64_t>, kTimeouts.size()> timeouts_{};
  std::array<std::atomic<uint64_t>, transport::kH2Limits.size()> limits_{};
};

}  // namespace weir
