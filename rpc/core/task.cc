#include "weir/rpc/core/task.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "weir/transport/io/blocking_executor.h"

namespace weir {
namespace internal {
namespace {

class Waiter final : public TaskRoot {
 public:
  void OnTaskDone() noexcept override { executor_.Finish(); }
  transport::BlockingExecutor& executor() { return executor_; }

 private:
  transport::BlockingExecutor executor_;
};

}  // namespace

absl::Status MayWait() { return transport::BlockingExecutor::MayBlock("Task::Wait()"); }

void DieWaiting(const absl::Status& why) {
  std::fprintf(stderr, "weir: %s\n", why.ToString().c_str());
  std::abort();
}

void RunUntilEnd(std::coroutine_handle<> task, TaskPromiseBase* promise) {
  Waiter waiter;
  const transport::Executor::Scope scope(&waiter.executor());
  promise->set_continuation(Continuation(&waiter));
  ResumeLoop::Run(task);
  waiter.executor().RunUntilDone();
}

}  // namespace internal

void Spawn(Task<void> task) {
  const auto handle = std::exchange(task.handle_, nullptr);
  handle.promise().set_continuation(internal::Continuation::Detached());
  internal::ResumeLoop::Run(handle);
}

void Resumption::Post() const {
  home_->Post([handle = handle_] { internal::ResumeLoop::Run(handle); });
}

}  // namespace weir
