// CancelledOperation and SleepOperation: what a handler may wait for because its call may be cancelled.
//
//   co_await context.Cancelled();
//   const bool slept = co_await context.Sleep(absl::Seconds(1));
#pragma once

#include <optional>

#include "absl/time/time.h"
#include "weir/rpc/core/operation.h"
#include "weir/transport/io/event_loop.h"

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
  void Wait();

 protected:
  bool Begin() override;
  void Forget() override;

  ServerContext& context_;

 private:
  friend class Cancellation;
  virtual void OnCancelled() { Complete(); }
};

// Waits for some time, or until the call is cancelled: true if the time has passed.
class [[nodiscard]] SleepOperation final : public CancelledOperation {
 public:
  SleepOperation(ServerContext& context, absl::Duration duration) : CancelledOperation(context), duration_(duration) {}

  bool await_resume() const { return slept_; }
  bool Wait();

 private:
  bool Begin() override;
  void Forget() override;
  void OnCancelled() override;

  const absl::Duration duration_;
  std::optional<transport::Timer> timer_;  // not set any more when the waiter goes on: it may end on any thread
  bool slept_ = false;
};

}  // namespace weir
