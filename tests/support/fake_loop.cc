#include "weir/tests/support/fake_loop.h"

#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <utility>

#include "weir/transport/io/run_callback.h"

namespace weir::testing {

using transport::MutexLock;

FakeLoop::~FakeLoop() {
  std::vector<std::function<void()>> dropped;
  MutexLock lock(mutex_);
  dropped.swap(posted_);
}

bool FakeLoop::RunTurn() {
  if (idle()) return false;
  Scope scope(this);
  ++turns_;
  timers_.RunDue(clock_.Now());
  std::vector<std::function<void()>> posted;
  {
    MutexLock lock(mutex_);
    posted.swap(posted_);
  }
  for (std::function<void()>& work : posted) transport::RunCallback(std::exchange(work, nullptr));
  end_of_turn_.RunAll();
  return true;
}

size_t FakeLoop::RunUntilIdle(size_t turns_max) {
  size_t turns = 0;
  while (RunTurn()) {
    if (++turns <= turns_max) continue;
    fprintf(stderr, "FakeLoop: not idle after %zu turns: %zu timers, %zu posted, end of turn %s\n", turns_max, timers(),
            posted(), end_of_turn_.empty() ? "empty" : "not empty");
    abort();
  }
  return turns;
}

void FakeLoop::Advance(std::chrono::nanoseconds by) {
  const transport::MonotonicTime end = clock_.Now() + by;
  RunUntilIdle();
  for (auto due = timers_.NextDue(); due && *due <= end; due = timers_.NextDue()) {
    clock_.AdvanceTo(*due);
    RunUntilIdle();
  }
  clock_.AdvanceTo(end);
  RunUntilIdle();
}

size_t FakeLoop::posted() const {
  MutexLock lock(mutex_);
  return posted_.size();
}

bool FakeLoop::idle() const {
  const auto due = timers_.NextDue();
  return posted() == 0 && end_of_turn_.empty() && !(due && *due <= clock_.Now());
}

void FakeLoop::Post(std::function<void()> work) {
  MutexLock lock(mutex_);
  posted_.push_back(std::move(work));
}

absl::Status FakeLoop::Watch(int, transport::DescriptorHandler*) {
  if (never_ready_) return absl::OkStatus();
  return absl::UnimplementedError("FakeLoop has no descriptors: use MakeMemoryStreamPair, or EpollLoop for sockets");
}

std::span<char> FakeLoop::ReadBuffer() {
  read_buffer_.resize(read_buffer_bytes_);
  return read_buffer_;
}

}  // namespace weir::testing
