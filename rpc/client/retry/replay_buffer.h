// ReplayBuffer: what a call has sent so far, for an attempt that begins later; and how much of that a channel keeps.
//
// A buffer that is over a limit is not lost, but says so: the call then commits to the attempt that it has, which is
// sent what is kept (gRFC A6, Memory Management).
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "weir/transport/memory/shared_bytes.h"

namespace weir {

// Defaults of gRPC's libraries.
inline constexpr size_t kReplayBytesPerCallMax = 256 * 1024;
inline constexpr size_t kReplayBytesPerChannelMax = 1024 * 1024;

// What all calls of a channel keep.
class ReplayBudget {
 public:
  explicit ReplayBudget(size_t bytes_max = kReplayBytesPerChannelMax) : bytes_max_(bytes_max) {}
  ReplayBudget(const ReplayBudget&) = delete;
  ReplayBudget& operator=(const ReplayBudget&) = delete;

  void Take(size_t bytes) { bytes_ += bytes; }
  void GiveBack(size_t bytes) { bytes_ -= bytes; }
  bool IsOver() const { return bytes_ > bytes_max_; }
  size_t bytes() const { return bytes_; }

 private:
  const size_t bytes_max_;
  size_t bytes_ = 0;
};

class ReplayBuffer {
 public:
  // `budget` must outlive what is kept.
  explicit ReplayBuffer(ReplayBudget& budget, size_t bytes_max = kReplayBytesPerCallMax)
      : budget_(budget), bytes_max_(bytes_max) {}
  ReplayBuffer(const ReplayBuffer&) = delete;
  ReplayBuffer& operator=(const ReplayBuffer&) = delete;
  ~ReplayBuffer() { Clear(); }

  // Keeps a message, its envelope included. False if that is more than this call, or all of the channel, should keep.
  bool Add(transport::SharedBytes framed) {
    bytes_ += framed.bytes.size();
    budget_.Take(framed.bytes.size());
    messages_.push_back(std::move(framed));
    return bytes_ <= bytes_max_ && !budget_.IsOver();
  }
  // In the order in which they were sent.
  const std::vector<transport::SharedBytes>& messages() const { return messages_; }
  // No attempt will need it.
  void Clear() {
    if (bytes_ == 0) return;  // the budget may be gone
    budget_.GiveBack(std::exchange(bytes_, 0));
    messages_.clear();
  }

 private:
  ReplayBudget& budget_;
  const size_t bytes_max_;
  std::vector<transport::SharedBytes> messages_;
  size_t bytes_ = 0;
};

}  // namespace weir
