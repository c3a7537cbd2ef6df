// Executor: where work runs. The only part of transport/io that rpc/core may see, because a coroutine must know where
// to go on; it holds no socket, no loop and no clock.
#pragma once

#include <chrono>
#include <functional>

namespace weir::transport {

// Time that never goes back; only differences mean anything. Below transport/io it is always an argument.
using MonotonicTime = std::chrono::steady_clock::time_point;

// Runs continuations: an EventLoop on its thread, a WorkerPool on one of its threads.
class Executor {
 public:
  virtual ~Executor() = default;

  // Runs `work` later, never inside this call. Callable from any thread.
  virtual void Post(std::function<void()> work) = 0;

  // True if blocking one of this executor's threads stops other people's work: an event loop, not a worker pool.
  virtual bool MustNotBlock() const { return false; }

  // The executor whose work the calling thread is running now, or null on a thread of the user's own.
  static Executor* Current();

  // Marks the calling thread as running `executor`'s work for a scope. For implementations of Executor.
  class Scope {
   public:
    explicit Scope(Executor* executor);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Executor* const previous_;
  };
};

}  // namespace weir::transport
