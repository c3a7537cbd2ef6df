// SleepOnLoop: an awaitable pause for handlers that run on their connection's loop.
#pragma once

#include <coroutine>
#include <optional>

#include "absl/time/time.h"
#include "weir/rpc/core/resumption.h"
#include "weir/transport/io/event_loop.h"

namespace weir::interop {

// Handlers must run on loops (ServerOptions::worker_threads = 0). Zero or less does not suspend.
class SleepOnLoop {
 public:
  explicit SleepOnLoop(absl::Duration pause) : pause_(pause) {}
  SleepOnLoop(const SleepOnLoop&) = delete;
  SleepOnLoop& operator=(const SleepOnLoop&) = delete;

  bool await_ready() const { return pause_ <= absl::ZeroDuration(); }
  void await_suspend(std::coroutine_handle<> handler) {
    auto& loop = static_cast<transport::EventLoop&>(*transport::Executor::Current());
    resumption_ = Resumption(handler);
    timer_.emplace(loop, [this] { resumption_.Resume(); });
    timer_->Set(loop.Now() + absl::ToChronoMicroseconds(pause_));
  }
  void await_resume() const {}

 private:
  const absl::Duration pause_;
  Resumption resumption_;
  std::optional<transport::Timer> timer_;
};

}  // namespace weir::interop
