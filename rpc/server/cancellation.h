// Cancellation: who wants to know that a call is cancelled, and what a handler may wait for because of it. A call has
// one only if its handler asks.
//
// Two kinds of listeners: callbacks, which are set on any thread and may run on any; and operations that wait, which
// the loop alone knows.
#pragma once

#include <functional>
#include <list>
#include <optional>
#include <stop_token>
#include <vector>

#include "absl/time/time.h"
#include "weir/rpc/core/operation.h"
#include "weir/transport/io/event_loop.h"
#include "weir/transport/io/mutex.h"

namespace weir {

class Cancellation;
class ServerContext;

// Waits until the call is cancelled, or has been.
class [[nodiscard]] CancelledOperation : public Operation {
 public:
  explicit CancelledOperation(ServerContext& context);
  virtual ~CancelledOperation();

  void await_resume() const {}
  // Blocks a plain thread or worker. On a loop's thread it aborts the program, as Task::Wait does.
  void Wait() { AsTask(*this).Wait(); }

 protected:
  bool Begin() override;
  void Forget() override;

  ServerContext& context_;

 private:
  friend class Cancellation;
  static Task<void> AsTask(CancelledOperation& self) { co_await self; }
  virtual void OnCancelled() { Complete(); }
};

// Waits for some time, or until the call is cancelled: true if the time has passed.
class [[nodiscard]] SleepOperation final : public CancelledOperation {
 public:
  SleepOperation(ServerContext& context, absl::Duration duration) : CancelledOperation(context), duration_(duration) {}

  bool await_resume() const { return slept_; }
  bool Wait() { return AsTask(*this).Wait(); }

 private:
  static Task<bool> AsTask(SleepOperation& self) { co_return co_await self; }
  bool Begin() override;
  void Forget() override;
  void OnCancelled() override;

  const absl::Duration duration_;
  std::optional<transport::Timer> timer_;  // not set any more when the waiter goes on: it may end on any thread
  bool slept_ = false;
};

class Cancellation {
 public:
  // ---- any thread
  std::stop_token token() const { return source_.get_token(); }
  void AddCallback(std::function<void()> callback);
  void RunCallbacks() { source_.request_stop(); }

  // ---- the loop
  void Add(CancelledOperation& waiter) { waiters_.push_back(&waiter); }
  void Remove(CancelledOperation& waiter) { std::erase(waiters_, &waiter); }
  void WakeWaiters();

 private:
  std::stop_source source_;
  std::vector<CancelledOperation*> waiters_;
  transport::Mutex mutex_;
  std::list<std::stop_callback<std::function<void()>>> callbacks_ WEIR_GUARDED_BY(mutex_);
};

}  // namespace weir
