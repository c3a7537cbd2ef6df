// HandlerQueue: handlers on their way to the worker threads of a server, and how many of them may wait there.
//
// Without a bound, clients decide how many wait, and for how long: each connection may bring max_concurrent_streams. A
// call that finds no place is told at once, while its client can still go elsewhere.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <new>
#include <utility>

#include "weir/transport/io/executor.h"

namespace weir {

class HandlerQueue {
 public:
  // `workers` must outlive it. `waiting_max`: QueuedHandlersMax of the server's options.
  HandlerQueue(transport::Executor& workers, size_t waiting_max) : workers_(workers), waiting_max_(waiting_max) {}
  HandlerQueue(const HandlerQueue&) = delete;
  HandlerQueue& operator=(const HandlerQueue&) = delete;

  // Has a worker run `work`, which calls Begin first; false if too many wait. On any loop.
  bool Post(std::function<void()> work) {
    // Counted first: of two that come at once, the second sees the first.
    if (waiting_.fetch_add(1, std::memory_order_relaxed) >= waiting_max_) {
      Begin();
      return false;
    }
    try {
      workers_.Post(std::move(work));
    } catch (const std::bad_alloc&) {
      Begin();
      throw;
    }
    return true;
  }
  void Begin() { waiting_.fetch_sub(1, std::memory_order_relaxed); }

  size_t waiting_max() const { return waiting_max_; }

 private:
  transport::Executor& workers_;
  const size_t waiting_max_;
  std::atomic<size_t> waiting_ = 0;
};

}  // namespace weir
