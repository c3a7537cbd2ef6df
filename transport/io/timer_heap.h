// TimerHeap: the timers of one loop, ordered by time; equal times fire in the order in which they were set.
//
// Shared by EpollLoop and the loop of the tests, so that both fire in the same order. A 4-ary heap of plain entries:
// the comparisons of one sift touch one cache line per level, and Set and Cancel never allocate once the array has
// grown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "weir/transport/io/event_loop.h"

namespace weir::transport {

class TimerHeap {
 public:
  TimerHeap() = default;
  ~TimerHeap();  // timers that are still set are no longer set
  TimerHeap(const TimerHeap&) = delete;
  TimerHeap& operator=(const TimerHeap&) = delete;

  void Set(Timer* timer, MonotonicTime due);
  void Cancel(Timer* timer);

  std::optional<MonotonicTime> NextDue() const;
  size_t size() const { return entries_.size(); }

  // Fires what is due at `now`. A timer that is set again meanwhile waits for the next call even if it is due already,
  // and does not delay the others.
  void RunDue(MonotonicTime now);

 private:
  struct Entry {
    MonotonicTime due;
    uint64_t sequence;
    Timer* timer;
  };
  static bool Before(const Entry& a, const Entry& b) {
    return a.due != b.due ? a.due < b.due : a.sequence < b.sequence;
  }

  void Place(size_t index, const Entry& entry);
  void SiftUp(size_t index, const Entry& entry);
  void SiftDown(size_t index, const Entry& entry);
  void RemoveAt(size_t index);

  std::vector<Entry> entries_;
  uint64_t next_sequence_ = 0;
  std::optional<MonotonicTime> running_at_;  // inside RunDue
};

}  // namespace weir::transport
