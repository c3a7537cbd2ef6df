// EpollLoop: the EventLoop for Linux, on epoll and an eventfd.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "weir/transport/io/event_loop.h"

namespace weir::transport {

class EpollLoop final : public EventLoop {
 public:
  // RESOURCE_EXHAUSTED if the system has no descriptors left for a loop.
  static absl::StatusOr<std::unique_ptr<EpollLoop>> Create();
  // The same for places that cannot go on without a loop: ends the process with the reason.
  EpollLoop();
  ~EpollLoop() override;

  // Runs turns on the calling thread until Stop. Work posted before Stop is still run. May be called again after Stop.
  void Run();
  // One turn: waits at most `timeout` for something to do (negative: without end).
  void RunOnce(std::chrono::nanoseconds timeout);
  // From any thread.
  void Stop();
  // Readable when a RunOnce has something to do apart from timers: for embedding into another loop.
  int wakeup_fd() const;

  void Post(std::function<void()> work) override;
  MonotonicTime Now() const override;
  absl::Time WallNow() const override;
  absl::Status Watch(int fd, DescriptorHandler* handler) override;
  void Unwatch(int fd) override;
  void AtEndOfTurn(EndOfTurn* work) override;
  std::span<char> ReadBuffer() override;

 protected:
  void ScheduleTimer(Timer* timer, MonotonicTime due) override;
  void CancelTimer(Timer* timer) override;

 private:
  struct Impl;
  explicit EpollLoop(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::transport
