// Task: making, starting, awaiting and ending coroutines. Their frames come from the BlockPool.
#include "weir/rpc/core/task.h"

#include <coroutine>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "benchmark/benchmark.h"

namespace bench {
namespace {

using weir::Resumption;
using weir::Task;

class Root final : public weir::TaskRoot {
 public:
  void OnTaskDone() noexcept override { done = true; }
  bool done = false;
};

// Suspends its one waiter until Wake().
class Sleep {
 public:
  class Awaiter {
   public:
    explicit Awaiter(Sleep* sleep) : sleep_(sleep) {}
    Awaiter(const Awaiter&) = delete;
    Awaiter& operator=(const Awaiter&) = delete;

    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiter) { sleep_->waiter_ = Resumption(waiter); }
    void await_resume() const {}

   private:
    Sleep* const sleep_;
  };
  Awaiter operator co_await() { return Awaiter(this); }
  void Wake() { std::exchange(waiter_, Resumption()).Resume(); }

 private:
  Resumption waiter_;
};

Task<absl::Status> Nested(int64_t depth) {
  if (depth == 0) co_return absl::OkStatus();
  absl::Status status = co_await Nested(depth - 1);
  co_return status;
}

// As a server runs a handler: started with a root that is told of the end.
void StartAndTake(benchmark::State& state) {
  for (auto _ : state) {
    Root root;
    Task<absl::Status> task = Nested(state.range(0));
    task.Start(&root);
    if (!root.done || !task.TakeResult().ok()) {
      state.SkipWithError("expected the task to end at once");
      break;
    }
  }
}
BENCHMARK(StartAndTake)->ArgName("awaits")->Arg(0)->Arg(1)->Arg(10);

Task<void> CountUp(int64_t* count) {
  ++*count;
  co_return;
}

void Spawn(benchmark::State& state) {
  int64_t count = 0;
  for (auto _ : state) weir::Spawn(CountUp(&count));
  if (count != state.iterations()) state.SkipWithError("expected every task to run");
}
BENCHMARK(Spawn);

Task<void> SleepFor(Sleep& sleep, int64_t times) {
  for (int64_t i = 0; i < times; ++i) co_await sleep;
}

void SuspendAndResume(benchmark::State& state) {
  Sleep sleep;
  Root root;
  Task<void> task = SleepFor(sleep, state.max_iterations);
  task.Start(&root);
  for (auto _ : state) sleep.Wake();
  if (!root.done) state.SkipWithError("expected the task to end with the last wake-up");
}
BENCHMARK(SuspendAndResume);

}  // namespace
}  // namespace bench
