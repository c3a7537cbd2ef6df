#include "weir/rpc/core/task.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace weir {
namespace {

// Suspends its one waiter until Set().
class Event {
 public:
  class Awaiter {
   public:
    explicit Awaiter(Event* event) : event_(event) {}
    Awaiter(const Awaiter&) = delete;
    Awaiter& operator=(const Awaiter&) = delete;

    bool await_ready() const { return event_->set_; }
    void await_suspend(std::coroutine_handle<> caller) { event_->waiter_ = Resumption(caller); }
    void await_resume() const {}

   private:
    Event* const event_;
  };

  Awaiter operator co_await() { return Awaiter(this); }

  bool HasWaiter() const { return static_cast<bool>(waiter_); }
  void Set() {
    set_ = true;
    if (const Resumption waiter = std::exchange(waiter_, Resumption())) waiter.Resume();
  }

 private:
  bool set_ = false;
  Resumption waiter_;
};

class Root final : public TaskRoot {
 public:
  void OnTaskDone() noexcept override {
    ++calls;
    if (then) then();
  }
  int calls = 0;
  std::function<void()> then;
};

// An executor as an event loop's: it must not block, and runs posted work when told to.
class FakeLoop final : public transport::Executor {
 public:
  void Post(std::function<void()> work) override { queue_.push_back(std::move(work)); }
  bool MustNotBlock() const override { return true; }

  size_t RunAll() {
    const Scope scope(this);
    size_t ran = 0;
    for (; !queue_.empty(); ++ran) {
      std::vector<std::function<void()>> batch = std::exchange(queue_, {});
      for (const auto& work : batch) work();
    }
    return ran;
  }

 private:
  std::vector<std::function<void()>> queue_;
};

// Says when it dies.
class Tombstone {
 public:
  explicit Tombstone(bool* dead) : dead_(dead) {}
  Tombstone(Tombstone&& other) noexcept : dead_(std::exchange(other.dead_, nullptr)) {}
  ~Tombstone() {
    if (dead_ != nullptr) *dead_ = true;
  }

 private:
  bool* dead_;
};

Task<int> Value(int value) { co_return value; }
Task<void> SetTrue(bool* flag) {
  *flag = true;
  co_return;
}
Task<void> Await(Event* event) { co_await *event; }
Task<int> AwaitThen(Event* event, int value) {
  co_await *event;
  co_return value;
}

TEST(TaskTest, NothingRunsUntilTheTaskIsAwaited) {
  bool ran = false;
  Task<void> task = SetTrue(&ran);
  EXPECT_FALSE(ran);
  EXPECT_FALSE(task.done());
  std::move(task).Wait();
  EXPECT_TRUE(ran);
}

Task<long> SumOf(int count) {
  long sum = 0;
  for (int i = 0; i < count; ++i) {
    const int value = co_await Value(1);
    sum += value;
  }
  co_return sum;
}

TEST(TaskTest, SynchronousAwaitsDoNotGrowTheStack) { EXPECT_EQ(SumOf(300'000).Wait(), 300'000); }

Task<int> Depth(int depth) {
  if (depth == 0) co_return 0;
  const int below = co_await Depth(depth - 1);
  co_return below + 1;
}

TEST(TaskTest, DeeplyNestedAwaitsDoNotGrowTheStack) { EXPECT_EQ(Depth(100'000).Wait(), 100'000); }

struct NoDefault {
  explicit NoDefault(int v) : value(v) {}
  int value;
};
Task<NoDefault> MakeNoDefault() { co_return NoDefault(7); }
Task<std::unique_ptr<std::string>> MakeUnique() { co_return std::make_unique<std::string>("moved"); }
Task<std::optional<std::string>> MakeOptional() { co_return "text"; }
Task<absl::StatusOr<std::string>> Ok() { co_return "reply"; }
Task<absl::StatusOr<std::string>> Fail() { co_return absl::NotFoundError("no such row"); }

TEST(TaskTest, ResultsMayBeMoveOnlyAndWithoutADefault) {
  EXPECT_EQ(MakeNoDefault().Wait().value, 7);
  EXPECT_EQ(*MakeUnique().Wait(), "moved");
  EXPECT_EQ(MakeOptional().Wait(), "text");
}

TEST(TaskTest, CoReturnConvertsAsReturnDoes) {
  EXPECT_EQ(*Ok().Wait(), "reply");
  EXPECT_EQ(Fail().Wait().status(), absl::NotFoundError("no such row"));
}

Task<std::unique_ptr<int>> Seven() { co_return std::make_unique<int>(7); }
Task<bool> ResultStaysInTheTask() {
  Task<std::unique_ptr<int>> seven = Seven();
  std::unique_ptr<int>& borrowed = co_await seven.Borrow();
  *borrowed += 1;
  const std::unique_ptr<int> taken = seven.TakeResult();
  co_return *taken == 8 && borrowed == nullptr;
}
TEST(TaskTest, ABorrowedResultStaysInTheTask) { EXPECT_TRUE(ResultStaysInTheTask().Wait()); }

TEST(TaskTest, MovingATaskMovesTheCoroutine) {
  Task<int> first = Value(3);
  Task<int> second = std::move(first);
  EXPECT_FALSE(first.valid());  // NOLINT(bugprone-use-after-move): what a moved-from task says is the point
  first = std::move(second);
  EXPECT_TRUE(first.valid());
  EXPECT_EQ(std::move(first).Wait(), 3);
}

TEST(TaskTest, AwaitersCannotBeCopied) {
  using Awaiter = decltype(std::declval<Task<int>>().operator co_await());
  static_assert(!std::is_copy_constructible_v<Awaiter> && !std::is_aggregate_v<Awaiter>);
}

TEST(TaskTest, StartTellsTheRootOnceWhenTheTaskEnds) {
  Event event;
  Root root;
  Task<int> task = AwaitThen(&event, 5);
  task.Start(&root);
  EXPECT_EQ(root.calls, 0);
  EXPECT_FALSE(task.done());
  event.Set();
  EXPECT_EQ(root.calls, 1);
  ASSERT_TRUE(task.done());
  EXPECT_EQ(task.TakeResult(), 5);
}

TEST(TaskTest, StartMayTellTheRootBeforeItReturns) {
  Root root;
  Task<int> task = Value(1);
  task.Start(&root);
  EXPECT_EQ(root.calls, 1);
  EXPECT_TRUE(task.done());
}

TEST(TaskTest, TheRootMayTakeTheResultAndDestroyTheTask) {
  Event event;
  Root root;
  std::optional<Task<int>> task(AwaitThen(&event, 9));
  int result = 0;
  root.then = [&] {
    EXPECT_TRUE(task->done());
    result = task->TakeResult();
    task.reset();
  };
  task->Start(&root);
  event.Set();
  EXPECT_EQ(result, 9);
  EXPECT_FALSE(task.has_value());
}

TEST(TaskTest, TheRootMayStartTheNextTask) {
  Root root;
  Root next_root;
  Task<int> task = Value(1);
  Task<int> next = Value(2);
  root.then = [&] { next.Start(&next_root); };
  task.Start(&root);
  EXPECT_EQ(next_root.calls, 1);
  EXPECT_EQ(next.TakeResult(), 2);
}

TEST(TaskTest, AWarmPoolServesCallAfterCall) {
  if (!transport::BlockPool::kEnabled) GTEST_SKIP() << "nothing is pooled under AddressSanitizer";
  Root root;
  const auto call = [&root] {
    Task<long> task = SumOf(1);  // two frames
    task.Start(&root);
    return task.TakeResult();
  };
  EXPECT_EQ(call(), 1);
  const size_t before = transport::BlockPool::FreeBytes();
  EXPECT_EQ(call(), 1);
  EXPECT_EQ(transport::BlockPool::FreeBytes(), before);
}

Task<int> OuterOf(Event* event, bool* dead) {
  const Tombstone local(dead);
  const int value = co_await AwaitThen(event, 1);
  co_return value;
}
Task<void> HoldWhileWaiting(Event* event, Tombstone held) { co_await *event; }
Task<void> NestedHold(Event* event, Tombstone held) { co_await HoldWhileWaiting(event, std::move(held)); }

TEST(TaskTest, DestroyingASuspendedTaskDestroysItsFrameAndTheNestedOnes) {
  Event event;
  Root root;
  bool outer_dead = false;
  bool nested_dead = false;
  {
    Task<int> outer = OuterOf(&event, &outer_dead);
    Task<void> nested = NestedHold(&event, Tombstone(&nested_dead));
    outer.Start(&root);
    ASSERT_TRUE(event.HasWaiter());
    nested.Start(&root);
    EXPECT_FALSE(outer_dead || nested_dead);
  }
  EXPECT_TRUE(outer_dead);
  EXPECT_TRUE(nested_dead);
  EXPECT_EQ(root.calls, 0);
}

TEST(TaskTest, DestroyingATaskThatNeverRanDestroysItsParameters) {
  Event event;
  bool dead = false;
  { const Task<void> task = HoldWhileWaiting(&event, Tombstone(&dead)); }
  EXPECT_TRUE(dead);
}

TEST(SpawnTest, TheTaskRunsAtOnceAndItsFrameFreesItselfAtTheEnd) {
  Event event;
  bool dead = false;
  Spawn(HoldWhileWaiting(&event, Tombstone(&dead)));
  EXPECT_TRUE(event.HasWaiter());
  EXPECT_FALSE(dead);
  event.Set();
  EXPECT_TRUE(dead);
}

Task<void> SpawnInside(Event* event, std::vector<std::string>* log) {
  log->push_back("before");
  Spawn([](Event* e, std::vector<std::string>* l) -> Task<void> {
    const int value = co_await Value(1);
    l->push_back("spawned " + std::to_string(value));
    co_await *e;
    l->push_back("spawned ends");
  }(event, log));
  log->push_back("after");
  const int value = co_await Value(2);
  log->push_back("value " + std::to_string(value));
}

TEST(SpawnTest, ACoroutineThatSpawnsGoesOnWhenTheOtherSuspends) {
  Event event;
  Root root;
  std::vector<std::string> log;
  Task<void> task = SpawnInside(&event, &log);
  task.Start(&root);
  event.Set();
  EXPECT_EQ(log, (std::vector<std::string>{"before", "spawned 1", "after", "value 2", "spawned ends"}));
}

Task<std::thread::id> ThreadAfter(Event* event) {
  co_await *event;
  co_return std::this_thread::get_id();
}

TEST(WaitTest, TheCoroutineGoesOnOnTheWaitingThread) {
  Event event;
  std::thread other;
  const auto start_other = [](Event* e, std::thread* t) -> Task<std::thread::id> {
    // Runs on the waiting thread; the other thread sets the event once somebody waits for it. Suspending is what makes
    // the waiter visible, so the thread is started by an awaitable's await_suspend.
    class SetElsewhere {
     public:
      SetElsewhere(Event* ev, std::thread* th) : event_(ev), thread_(th) {}
      SetElsewhere(const SetElsewhere&) = delete;
      SetElsewhere& operator=(const SetElsewhere&) = delete;
      bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> caller) {
        *thread_ = std::thread([resumption = Resumption(caller)] { resumption.Resume(); });
      }
      void await_resume() const { event_->Set(); }

     private:
      Event* const event_;
      std::thread* const thread_;
    };
    co_await SetElsewhere(e, t);
    const std::thread::id id = co_await ThreadAfter(e);
    co_return id;
  };
  EXPECT_EQ(start_other(&event, &other).Wait(), std::this_thread::get_id());
  other.join();
}

TEST(WaitTest, IsRefusedOnAThreadThatMustNotBlock) {
  FakeLoop loop;
  bool ran = false;
  absl::Status status;
  absl::StatusOr<std::string> reply = "untouched";
  loop.Post([&] {
    status = [](bool* flag) -> Task<absl::Status> {
      *flag = true;
      co_return absl::OkStatus();
    }(&ran)
                                   .Wait();
    reply = Ok().Wait();
  });
  loop.RunAll();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(ran);
}

TEST(WaitDeathTest, AbortsOnAThreadThatMustNotBlockIfTheResultCannotSaySo) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  FakeLoop loop;
  loop.Post([] { static_cast<void>(Value(1).Wait()); });
  EXPECT_DEATH(loop.RunAll(), "Task::Wait");
}

TEST(ResumptionTest, ResumesInPlaceWithoutAnExecutor) {
  Event event;
  Root root;
  Task<void> task = Await(&event);
  task.Start(&root);
  event.Set();
  EXPECT_EQ(root.calls, 1);
}

TEST(ResumptionTest, ResumesInPlaceOnItsOwnExecutor) {
  FakeLoop loop;
  Event event;
  Root root;
  Task<void> task = Await(&event);
  loop.Post([&] {
    task.Start(&root);
    event.Set();
    EXPECT_EQ(root.calls, 1);
  });
  EXPECT_EQ(loop.RunAll(), 1u);
}

TEST(ResumptionTest, PostsToItsExecutorFromElsewhere) {
  FakeLoop loop;
  Event event;
  Root root;
  Task<void> task = Await(&event);
  loop.Post([&] { task.Start(&root); });
  loop.RunAll();
  std::thread([&event] { event.Set(); }).join();
  EXPECT_EQ(root.calls, 0);
  EXPECT_EQ(loop.RunAll(), 1u);
  EXPECT_EQ(root.calls, 1);
}

// The coroutine that sets an event must itself go on where it was, also when the one it wakes ends first.
Task<int> SetThenGoOn(Event* event) {
  event->Set();
  const int value = co_await Value(4);
  co_return value;
}

TEST(ResumptionTest, ACoroutineMayResumeAnother) {
  Event event;
  Root root;
  Task<int> waiter = AwaitThen(&event, 1);
  waiter.Start(&root);
  EXPECT_EQ(SetThenGoOn(&event).Wait(), 4);
  EXPECT_EQ(root.calls, 1);
  EXPECT_EQ(waiter.TakeResult(), 1);
}

TEST(ResumptionTest, IsTwoWords) {
  static_assert(std::is_trivially_copyable_v<Resumption>);
  EXPECT_EQ(sizeof(Resumption), 2 * sizeof(void*));
}

Task<int> HopAndAwait(Event* first, Event* second) {
  const int a = co_await AwaitThen(first, 1);
  const int b = co_await Value(2);
  const int c = co_await AwaitThen(second, 3);
  co_return a + b + c;
}

TEST(ResumptionTest, ACoroutineMayMoveFromThreadToThread) {
  Event first;
  Event second;
  Root root;
  Task<int> task = HopAndAwait(&first, &second);
  task.Start(&root);
  std::thread([&first] { first.Set(); }).join();
  std::thread([&second] { second.Set(); }).join();
  ASSERT_EQ(root.calls, 1);
  EXPECT_EQ(task.TakeResult(), 6);
}

#if defined(__cpp_exceptions)
Task<int> Throw() {
  throw std::runtime_error("from the depth");
  co_return 0;
}
Task<void> ThrowVoid() {
  throw std::runtime_error("void");
  co_return;
}
Task<std::string> CatchAround() {
  try {
    const int value = co_await Throw();
    co_return std::to_string(value);
  } catch (const std::runtime_error& e) {
    co_return e.what();
  }
}

TEST(TaskExceptionTest, IsThrownAgainAtTheAwaitingSide) { EXPECT_EQ(CatchAround().Wait(), "from the depth"); }

TEST(TaskExceptionTest, IsThrownAgainByWaitAndTakeResult) {
  EXPECT_THROW(Throw().Wait(), std::runtime_error);
  EXPECT_THROW(ThrowVoid().Wait(), std::runtime_error);
  Root root;
  Task<int> task = Throw();
  task.Start(&root);
  EXPECT_EQ(root.calls, 1);
  EXPECT_THROW(task.TakeResult(), std::runtime_error);
}

TEST(TaskExceptionTest, AResultThatNobodyTakesIsDropped) {
  Root root;
  Task<int> task = Throw();
  task.Start(&root);
  EXPECT_EQ(root.calls, 1);
}

TEST(TaskExceptionDeathTest, OfASpawnedTaskTerminates) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(Spawn(ThrowVoid()), "terminate|void");
}
#endif

}  // namespace
}  // namespace weir
