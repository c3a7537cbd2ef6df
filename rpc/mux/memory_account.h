// MemoryAccount: the bytes that a peer makes this process hold on one connection; MemoryTotal: on all of a server's.
//
//   connection: MemoryAccount --every byte--> loop: LoopMemory --steps of 64 KiB--> server: MemoryTotal
//
// Counted is what waits: answers that the client's windows or its socket do not take, and messages that came and were
// not read, or came in part. Not what is about to leave or to be read in the same turn, so an ordinary call counts
// nothing. An answer that has left in part counts as a whole, because its memory is held as a whole; only of what the
// windows took and the socket did not, the rest alone is counted.
//
// Each has two ceilings. Beyond `soft` memory is short: windows are rationed (window_ration.h), and a connection whose
// answers are not taken begins no more calls. Beyond `hard` a connection ends. Nothing is refused to some for what
// others hold: between the two ceilings somebody could stay for ever, and nobody else would get a call through. Who
// asks, and what follows, is the business of the owner of the connection.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace weir::mux {

struct MemoryCeilings {
  size_t soft_bytes = SIZE_MAX;
  size_t hard_bytes = SIZE_MAX;

  // None is soft beyond its hard one.
  MemoryCeilings InOrder() const { return {.soft_bytes = std::min(soft_bytes, hard_bytes), .hard_bytes = hard_bytes}; }
};

// Of a connection, as the options have them, whose 0 is for `soft` 32 MiB, or eight of the largest messages if that is
// more, and for `hard` four times as much.
inline MemoryCeilings ConnectionCeilings(size_t soft_bytes, size_t hard_bytes, size_t message_bytes_max) {
  constexpr size_t kSoftBytes = 32 * 1024 * 1024;
  const auto times = [](size_t factor, size_t bytes) { return bytes > SIZE_MAX / factor ? SIZE_MAX : factor * bytes; };
  if (soft_bytes == 0) soft_bytes = std::max(kSoftBytes, times(8, message_bytes_max));
  if (hard_bytes == 0) hard_bytes = times(4, soft_bytes);
  return {.soft_bytes = soft_bytes, .hard_bytes = hard_bytes};
}

// What was done because of a ceiling.
enum class MemoryAct : uint8_t {
  kDeferred,           // a call, until answers of its connection have been taken, by the soft ceiling of that
  kRationed,           // the windows of a connection, by either
  kEndedByConnection,  // a connection, by its hard ceiling
  kEndedByTotal,       // a connection, by the hard ceiling of all
};
constexpr size_t kMemoryActs = 4;

// Any thread.
class MemoryTotal {
 public:
  explicit MemoryTotal(MemoryCeilings ceilings) : ceilings_(ceilings.InOrder()) {}

  const MemoryCeilings& ceilings() const { return ceilings_; }
  size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  void Change(size_t by) { bytes_.fetch_add(by, std::memory_order_relaxed); }  // modulo 2^n: also less
  bool over_soft() const { return bytes() > ceilings_.soft_bytes; }
  bool over_hard() const { return bytes() > ceilings_.hard_bytes; }

  void AddLoop() { loops_.fetch_add(1, std::memory_order_relaxed); }
  void RemoveLoop() { loops_.fetch_sub(1, std::memory_order_relaxed); }
  size_t loops() const { return loops_.load(std::memory_order_relaxed); }

  void Note(MemoryAct act) { acts_[static_cast<size_t>(act)].fetch_add(1, std::memory_order_relaxed); }
  uint64_t count(MemoryAct act) const { return acts_[static_cast<size_t>(act)].load(std::memory_order_relaxed); }

 private:
  const MemoryCeilings ceilings_;
  std::atomic<size_t> bytes_ = 0;
  std::atomic<size_t> loops_ = 0;
  std::array<std::atomic<uint64_t>, kMemoryActs> acts_{};
};

// What the connections of one loop add up to. The total hears of it in steps, so that connections do not contend.
class LoopMemory {
 public:
  static constexpr size_t kStepBytes = 64 * 1024;

  explicit LoopMemory(MemoryTotal& total) : total_(total) { total_.AddLoop(); }
  LoopMemory(const LoopMemory&) = delete;
  LoopMemory& operator=(const LoopMemory&) = delete;
  ~LoopMemory() {
    total_.Change(0 - told_);
    total_.RemoveLoop();
  }

  MemoryTotal& total() const { return total_; }
  size_t bytes() const { return bytes_; }  // all of them, not in steps
  // As much as the average loop, or more: there is always one that does.
  bool HoldsItsShare() const { return told_ >= total_.bytes() / total_.loops(); }
  void Change(size_t by) {
    bytes_ += by;
    const size_t steps = bytes_ / kStepBytes * kStepBytes;
    if (steps == told_) return;
    total_.Change(steps - told_);
    told_ = steps;
  }

 private:
  MemoryTotal& total_;
  size_t bytes_ = 0;
  size_t told_ = 0;
};

class MemoryAccount {
 public:
  // `loop` null: it is nobody's part.
  MemoryAccount(MemoryCeilings ceilings, LoopMemory* loop) : ceilings_(ceilings.InOrder()), loop_(loop) {}
  MemoryAccount(const MemoryAccount&) = delete;
  MemoryAccount& operator=(const MemoryAccount&) = delete;
  ~MemoryAccount() { ChangeTotal(0 - bytes()); }

  const MemoryCeilings& ceilings() const { return ceilings_; }
  MemoryTotal* total() const { return loop_ == nullptr ? nullptr : &loop_->total(); }

  // What the peer has sent, and what it does not take. Changes are modulo 2^n: also less.
  size_t received_bytes() const { return received_bytes_; }
  size_t answer_bytes() const { return answer_bytes_; }
  size_t bytes() const { return received_bytes_ + answer_bytes_; }
  void ChangeReceived(size_t by) {
    received_bytes_ += by;
    ChangeTotal(by);
  }
  void ChangeAnswers(size_t by) {
    answer_bytes_ += by;
    ChangeTotal(by);
  }
  // That the peer goes on taking them, even if no message of them is done yet.
  void NoteTaken(size_t bytes) { taken_bytes_ += bytes; }
  uint64_t taken_bytes() const { return taken_bytes_; }

  // Of this or of the whole.
  bool is_short() const { return bytes() > ceilings_.soft_bytes || total_over_soft(); }
  // Both are down to half of their soft ceilings: between this and is_short() things stay as they are.
  bool is_at_ease() const {
    return bytes() <= ceilings_.soft_bytes / 2 &&
           (loop_ == nullptr || loop_->total().bytes() <= loop_->total().ceilings().soft_bytes / 2);
  }
  bool answers_over_soft() const { return answer_bytes_ > ceilings_.soft_bytes; }
  bool total_over_soft() const { return loop_ != nullptr && loop_->total().over_soft(); }
  bool received_over_hard() const { return received_bytes_ > ceilings_.hard_bytes; }
  bool answers_over_hard() const { return answer_bytes_ > ceilings_.hard_bytes; }
  bool total_over_hard() const { return loop_ != nullptr && loop_->total().over_hard(); }

  void Note(MemoryAct act) const {
    if (loop_ != nullptr) loop_->total().Note(act);
  }

 private:
  void ChangeTotal(size_t by) {
    if (loop_ != nullptr) loop_->Change(by);
  }

  const MemoryCeilings ceilings_;
  LoopMemory* const loop_;
  size_t received_bytes_ = 0;
  size_t answer_bytes_ = 0;
  uint64_t taken_bytes_ = 0;
};

}  // namespace weir::mux
