// SimulatedLoop: the event loop of one simulated process. Runs a turn when the simulation says so, at the time of the
// simulation; a process can be stopped for a while, and its timers can be late.
//
// A turn is that of EpollLoop, and is made of the same parts: readiness, due timers, posted work, end-of-turn work.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "weir/testing/simulation/random.h"
#include "weir/testing/simulation/virtual_time.h"
#include "weir/transport/io/end_of_turn_list.h"
#include "weir/transport/io/event_loop.h"
#include "weir/transport/io/timer_heap.h"

namespace weir::testing {

class SimulatedLoop final : public transport::EventLoop {
 public:
  SimulatedLoop(std::string name, VirtualTime& time, SimulatedRandom random)
      : name_(std::move(name)), time_(time), random_(random) {}

  const std::string& name() const { return name_; }

  // As the readiness of a descriptor: before all else in the next turn.
  void OnReady(std::function<void()> tell) { ready_.push_back(std::move(tell)); }

  // As SIGSTOP and SIGCONT do.
  void StopUntil(transport::MonotonicTime time) { stopped_until_ = disturbed_until_ = time; }
  // Timers fire this much too late, as on a machine that is overloaded.
  void MakeTimersLate(std::chrono::nanoseconds by) { lateness_ = by; }
  // Neither of both any more.
  void Heal();
  // Was there either of both since then? For tests of how soon something happens.
  bool DisturbedSince(transport::MonotonicTime time) const {
    return lateness_ != lateness_.zero() || disturbed_until_ >= time;
  }

  // When RunTurn has something to do: now or earlier, later, or never.
  std::optional<transport::MonotonicTime> NextTurn() const;
  void RunTurn();

  // Something to do in its next turn, timers apart; even if it is stopped.
  bool has_work() const { return posted() > 0 || !end_of_turn_.empty(); }
  size_t timers() const { return timers_.size(); }
  size_t posted() const { return posted_.size() + ready_.size(); }

  void Post(std::function<void()> work) override { posted_.push_back(std::move(work)); }
  transport::MonotonicTime Now() const override { return time_.Now(); }
  absl::Time WallNow() const override { return absl::UnixEpoch() + absl::FromChrono(time_.WallClock()); }
  absl::Status Watch(int fd, transport::DescriptorHandler* handler) override;
  void Unwatch(int) override {}
  void AtEndOfTurn(transport::EndOfTurn* work) override { end_of_turn_.Add(work); }
  std::span<char> ReadBuffer() override;
  uint64_t RandomSeed() override { return random_.Next(); }

 protected:
  void ScheduleTimer(transport::Timer* timer, transport::MonotonicTime due) override { timers_.Set(timer, due); }
  void CancelTimer(transport::Timer* timer) override { timers_.Cancel(timer); }

 private:
  const std::string name_;
  VirtualTime& time_;
  SimulatedRandom random_;
  transport::TimerHeap timers_;
  transport::EndOfTurnList end_of_turn_;
  std::vector<std::function<void()>> ready_;
  std::vector<std::function<void()>> posted_;
  std::vector<char> read_buffer_;
  transport::MonotonicTime stopped_until_{};
  transport::MonotonicTime disturbed_until_{};
  std::chrono::nanoseconds lateness_{};
};

}  // namespace weir::testing
