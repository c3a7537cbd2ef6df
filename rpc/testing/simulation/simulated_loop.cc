#include "weir/testing/simulation/simulated_loop.h"

#include <algorithm>

#include "weir/transport/io/run_callback.h"

namespace weir::testing {
namespace {

constexpr size_t kReadBufferBytes = 64 * 1024;

void RunAll(std::vector<std::function<void()>>& list) {
  std::vector<std::function<void()>> batch;
  batch.swap(list);
  for (std::function<void()>& work : batch) transport::RunCallback(std::exchange(work, nullptr));
}

}  // namespace

std::optional<transport::MonotonicTime> SimulatedLoop::NextTurn() const {
  if (has_work()) return stopped_until_;
  if (const auto due = timers_.NextDue()) return std::max(*due + lateness_, stopped_until_);
  return std::nullopt;
}

void SimulatedLoop::Heal() {
  if (lateness_ != lateness_.zero() || stopped_until_ > Now()) disturbed_until_ = Now();
  lateness_ = {};
  stopped_until_ = {};
}

void SimulatedLoop::RunTurn() {
  Scope scope(this);
  RunAll(ready_);
  if (const auto due = timers_.NextDue(); due && *due + lateness_ <= Now()) timers_.RunDue(Now());
  RunAll(posted_);
  end_of_turn_.RunAll();
}

absl::Status SimulatedLoop::Watch(int, transport::DescriptorHandler*) {
  return absl::UnimplementedError("a simulation has no descriptors: connect channels by Simulation::Connect");
}

std::span<char> SimulatedLoop::ReadBuffer() {
  read_buffer_.resize(kReadBufferBytes);
  return read_buffer_;
}

}  // namespace weir::testing
