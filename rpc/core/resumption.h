// ResumeLoop and Resumption: the two ways in which a suspended coroutine goes on.
//
//   ResumeLoop   on this thread, now. Every resume() of this project happens in its loop.
//   Resumption   on the executor where the coroutine suspended, from whatever thread completes what it waits for.
//
// Why a loop: g++ 12 does not turn symmetric transfer into a tail call at -O0, -O1 or under a sanitizer, so 300,000
// awaits that complete at once would overflow the stack. Here a coroutine that suspends leaves the next one in a slot
// of its thread and returns; the loop resumes that one. One slot is enough: a suspension transfers to one coroutine.
// The same code runs with every compiler. SynchronousAwaitsDoNotGrowTheStack is the test.
//
// Must not: call std::coroutine_handle<>::resume() anywhere else. What the coroutine leaves in the slot would stay
// there.
#pragma once

#include <coroutine>
#include <cstdint>
#include <utility>

#include "weir/transport/io/executor.h"

namespace weir {

// Is told when a task that was started with it has ended. See Task::Start.
class TaskRoot {
 public:
  virtual void OnTaskDone() noexcept = 0;

 protected:
  ~TaskRoot() = default;  // never deleted through this class
};

namespace internal {

// What runs when a coroutine has ended: another coroutine, a TaskRoot, or nothing and its frame frees itself.
class Continuation {
 public:
  constexpr Continuation() = default;
  explicit Continuation(std::coroutine_handle<> handle) noexcept
      : word_(reinterpret_cast<uintptr_t>(handle.address())) {}
  explicit Continuation(TaskRoot* root) noexcept : word_(reinterpret_cast<uintptr_t>(root) | kRootBit) {}
  static Continuation Detached() noexcept {
    Continuation detached;
    detached.word_ = kDetachedBit;
    return detached;
  }

  explicit operator bool() const noexcept { return word_ != 0; }
  bool detached() const noexcept { return word_ == kDetachedBit; }

  void Run() const {
    if ((word_ & kRootBit) == 0) {
      std::coroutine_handle<>::from_address(reinterpret_cast<void*>(word_)).resume();
    } else {
      reinterpret_cast<TaskRoot*>(word_ & ~kRootBit)->OnTaskDone();
    }
  }

 private:
  // Frames and polymorphic objects are aligned to at least 8 bytes: their addresses leave these bits free.
  static constexpr uintptr_t kRootBit = 1;
  static constexpr uintptr_t kDetachedBit = 2;

  uintptr_t word_ = 0;
};

class ResumeLoop {
 public:
  // Resumes `handle`, then whatever each coroutine names as its successor, until one names none. May be called from
  // within a coroutine that a Run() further up is running: that one's successor is kept until this call returns.
  static void Run(std::coroutine_handle<> handle) noexcept {
    const Continuation outer = std::exchange(next_, Continuation(handle));
    while (next_) std::exchange(next_, Continuation()).Run();
    next_ = outer;
  }

  // For await_suspend: runs `continuation` after the calling coroutine has suspended.
  static void Next(Continuation continuation) noexcept { next_ = continuation; }

 private:
  // constinit: no guard, no wrapper function, no static initialiser.
  static inline constinit thread_local Continuation next_;
};

}  // namespace internal

// How an awaitable resumes a coroutine on the executor on which it suspended. Make one in await_suspend, keep it with
// the operation, call Resume() once the result is in place. A small value; it owns nothing.
//
//   void await_suspend(std::coroutine_handle<> caller) { op_->waiter = Resumption(caller); }
class Resumption {
 public:
  constexpr Resumption() = default;
  explicit Resumption(std::coroutine_handle<> handle) : handle_(handle), home_(transport::Executor::Current()) {}

  // On `home`'s thread, or if there was no executor: resumes inside this call (nested if a coroutine is calling).
  // On any other thread: posts to `home`. The coroutine may have ended, and *this with it, when Resume returns.
  // noexcept: there would be nobody to tell, and the waiter would wait for ever. Executors keep room for what is posted.
  void Resume() const noexcept {
    if (home_ == nullptr || home_ == transport::Executor::Current()) {
      internal::ResumeLoop::Run(handle_);
    } else {
      Post();
    }
  }

  explicit operator bool() const { return static_cast<bool>(handle_); }
  std::coroutine_handle<> handle() const { return handle_; }
  transport::Executor* home() const { return home_; }

 private:
  void Post() const;

  std::coroutine_handle<> handle_;
  transport::Executor* home_ = nullptr;
};

}  // namespace weir
