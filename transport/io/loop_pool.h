// LoopPool: N event loops on N threads, for a server's connections or a process's channels.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/transport/io/epoll_loop.h"

namespace weir::transport {

class LoopPool {
 public:
  // Makes the loops and starts their threads, each named `name`. `loops` at least 1.
  static absl::StatusOr<std::unique_ptr<LoopPool>> Start(size_t loops, const std::string& name = "weir-loop");
  ~LoopPool();  // Stop and Join
  LoopPool(const LoopPool&) = delete;
  LoopPool& operator=(const LoopPool&) = delete;

  // Any thread. Round robin.
  EpollLoop& Next();
  EpollLoop& loop(size_t index) { return *Loop(index); }
  size_t size() const;

  // Any thread: the threads end once they have run what was posted before.
  void Stop();
  // Not from a thread of the pool. The loops outlive it: what lives on them may be destroyed afterwards, and before the
  // pool is.
  void Join();

 private:
  struct Impl;
  explicit LoopPool(std::unique_ptr<Impl> impl);
  EpollLoop* Loop(size_t index);

  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::transport
