// CallLimit: how many calls a server may have on all its connections together; LoopCalls: those of one of its loops.
//
//   connection --every call--> loop: LoopCalls --in steps--> server: CallLimit
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace weir {

// Any thread.
class CallLimit {
 public:
  explicit CallLimit(size_t max) : max_(max) {}

  size_t max() const { return max_; }
  // Loops tell of so many at a time: of a large number they contend for nothing, a small one is exact.
  size_t step() const { return std::clamp<size_t>(max_ / 1024, 1, 64); }
  size_t count() const { return count_.load(std::memory_order_relaxed); }
  void Change(size_t by) { count_.fetch_add(by, std::memory_order_relaxed); }  // modulo 2^n: also less

  uint64_t refused_count() const { return refused_.load(std::memory_order_relaxed); }
  void NoteRefused() { refused_.fetch_add(1, std::memory_order_relaxed); }

 private:
  const size_t max_;
  std::atomic<size_t> count_ = 0;
  std::atomic<uint64_t> refused_ = 0;
};

class LoopCalls {
 public:
  explicit LoopCalls(CallLimit& limit) : limit_(limit), step_(limit.step()) {}
  LoopCalls(const LoopCalls&) = delete;
  LoopCalls& operator=(const LoopCalls&) = delete;
  ~LoopCalls() { limit_.Change(0 - told_); }

  CallLimit& limit() const { return limit_; }
  bool IsFull() const { return limit_.count() - told_ + count_ >= limit_.max(); }
  void Begin() noexcept {
    if (++count_ - told_ == step_) Tell();
  }
  void End() noexcept {
    if (told_ - --count_ == step_) Tell();
  }

 private:
  void Tell() noexcept {
    limit_.Change(count_ - told_);
    told_ = count_;
  }

  CallLimit& limit_;
  const size_t step_;
  size_t count_ = 0;
  size_t told_ = 0;
};

}  // namespace weir
