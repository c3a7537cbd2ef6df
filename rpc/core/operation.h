// Operation: the base of everything that can be awaited on a call: Read, Write, Finish.
//
// An operation lives in the coroutine frame (or on the stack of Wait) that waits for it. It begins on the call's loop:
// at once if that is where the caller is, which costs nothing; otherwise it travels there, and the waiter goes on where
// it lives: its own loop, its worker pool, its blocked thread.
//
//   created --await--> Begin on the loop --complete at once--> result
//                          |
//                          +--pending--> Complete() --> the waiter resumes
//
// Neither copyable nor movable: g++ 12 would copy awaiters, and a copy would wait for ever. A coroutine that waits for
// an operation may be destroyed on the call's loop only.
#pragma once

#include <coroutine>

#include "weir/rpc/core/task.h"
#include "weir/transport/io/executor.h"

namespace weir {

class Operation {
 public:
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

  bool await_ready() {
    if (transport::Executor::Current() != &loop_) return false;
    begun_ = true;
    return BeginHere();
  }
  void await_suspend(std::coroutine_handle<> waiter);

  transport::Executor& loop() const { return loop_; }
  // On the loop: completes now if it has not, without a result. StopOperation does it from anywhere.
  void GiveUp() {
    if (!pending_) return;
    Forget();
    Complete();
  }

 protected:
  explicit Operation(transport::Executor& loop) : loop_(loop) {}
  ~Operation() = default;

  // On the loop. Returns true if complete; false if Complete() will be called later.
  virtual bool Begin() = 0;

  // On the loop: the result is there. The operation may be gone when this returns.
  void Complete() {
    pending_ = false;
    if (timed_) StopTimer();
    resumption_.Resume();
  }
  // While pending: the call is not to know of it any more. On the loop.
  virtual void Forget() = 0;

  // On the loop, which had no memory to begin it for a waiter elsewhere: what it belongs to is to end. It is forgotten,
  // and completes next.
  virtual void OnNoMemory() {}

  // For TimedOperation: from now on, StopTimer comes before the waiter goes on.
  void StopTimerAtEnd() { timed_ = true; }
  virtual void StopTimer() {}

  // Begun and not complete: the call knows of it, and must be told if it is destroyed. Only then may a destructor touch
  // the call, because it may run on the waiter's thread otherwise.
  bool pending() const { return pending_; }

 private:
  void BeginFromElsewhere();
  bool BeginHere() {
    pending_ = true;
    if (!Begin()) return false;
    pending_ = false;
    return true;
  }

  transport::Executor& loop_;
  Resumption resumption_;
  bool begun_ = false;
  bool pending_ = false;
  bool timed_ = false;
};

// co_await StopOperation(other): `other` gives up if it has not completed; it has now. Its result is of no use then.
class [[nodiscard]] StopOperation final : public Operation {
 public:
  explicit StopOperation(Operation& other) : Operation(other.loop()), other_(other) {}
  void await_resume() const {}

 private:
  bool Begin() override {
    other_.GiveUp();
    return true;
  }
  void Forget() override {}

  Operation& other_;
};

}  // namespace weir
