// FakeLoop: an EventLoop without descriptors, threads and real time. Same script, same order, every time.
//
//   FakeLoop loop;
//   ... Start things on the loop ...
//   loop.RunUntilIdle();                        // until there is nothing to do now
//   loop.Advance(std::chrono::seconds(5));      // time passes from timer to timer, each at its own time
//
// Turns are those of EpollLoop: due timers, posted work, end-of-turn work; each made of the same parts.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "weir/tests/support/manual_clock.h"
#include "weir/transport/io/end_of_turn_list.h"
#include "weir/transport/io/event_loop.h"
#include "weir/transport/io/mutex.h"
#include "weir/transport/io/timer_heap.h"

namespace weir::testing {

class FakeLoop final : public transport::EventLoop {
 public:
  FakeLoop() : clock_(own_clock_) {}
  // Several loops may share a clock: advance it, then run each.
  explicit FakeLoop(ManualClock& clock) : clock_(clock) {}
  ~FakeLoop() override;

  // One turn at the present time; true if there was anything to do.
  bool RunTurn();
  // Turns until nothing is left to do at the present time; returns how many had something to do. Ends the process if
  // that takes more than `turns_max`: work that keeps itself alive would hang the test.
  size_t RunUntilIdle(size_t turns_max = 100'000);
  // RunUntilIdle at every time at which a timer is due, until `by` has passed.
  void Advance(std::chrono::nanoseconds by);

  // What must be zero when a test says that nothing is left.
  size_t timers() const { return timers_.size(); }
  size_t posted() const;
  bool idle() const;
  size_t turns() const { return turns_; }  // those that had something to do, since the beginning

  void Post(std::function<void()> work) override;  // from any thread, for tests with a worker pool
  transport::MonotonicTime Now() const override { return clock_.Now(); }
  // The manual clock's beginning is the time at which the loop was made.
  absl::Time WallNow() const override { return wall_at_zero_ + absl::FromChrono(clock_.Now().time_since_epoch()); }
  // UNIMPLEMENTED; after NeverReady, OK, and nothing is ever heard of the descriptor.
  absl::Status Watch(int fd, transport::DescriptorHandler* handler) override;
  void NeverReady() { never_ready_ = true; }
  void Unwatch(int) override {}
  void AtEndOfTurn(transport::EndOfTurn* work) override { end_of_turn_.Add(work); }
  std::span<char> ReadBuffer() override;
  uint64_t RandomSeed() override { return 1; }

  // As small as a test wants it: cuts what each Read gives.
  void set_read_buffer_bytes(size_t bytes) { read_buffer_bytes_ = bytes; }

 protected:
  void ScheduleTimer(transport::Timer* timer, transport::MonotonicTime due) override { timers_.Set(timer, due); }
  void CancelTimer(transport::Timer* timer) override { timers_.Cancel(timer); }

 private:
  ManualClock own_clock_;
  ManualClock& clock_;
  transport::TimerHeap timers_;
  transport::EndOfTurnList end_of_turn_;
  mutable transport::Mutex mutex_;
  std::vector<std::function<void()>> posted_ WEIR_GUARDED_BY(mutex_);
  std::vector<char> read_buffer_;
  size_t read_buffer_bytes_ = 64 * 1024;
  size_t turns_ = 0;
  const absl::Time wall_at_zero_ = absl::Now();
  bool never_ready_ = false;
};

}  // namespace weir::testing
