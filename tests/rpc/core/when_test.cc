// WhenAll, WhenAny, WhenAllOk: results, order, who is cancelled, exceptions, threads.
#include "weir/rpc/core/when.h"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "weir/rpc/core/cancel_scope.h"
#include "weir/rpc/core/operation.h"
#include "weir/rpc/core/task.h"
#include "weir/tests/support/fake_loop.h"
#include "weir/transport/io/blocking_executor.h"
#include "weir/transport/io/worker_pool.h"

namespace weir {
namespace {

using testing::FakeLoop;

// What an operation waits for: an int, or that its waiter gives up.
class Mailbox {
 public:
  explicit Mailbox(transport::Executor& loop) : loop_(loop) {}

  class Take final : public Operation {
   public:
    explicit Take(Mailbox& box) : Operation(box.loop_), box_(box) {}
    ~Take() {
      if (pending()) Forget();
    }
    int await_resume() const { return taken_; }

   private:
    friend class Mailbox;
    bool Begin() override {
      box_.waiter_ = this;
      return false;
    }
    void Forget() override {
      box_.waiter_ = nullptr;
      ++box_.given_up;
    }

    Mailbox& box_;
    int taken_ = -1;
  };

  Take Read() { return Take(*this); }
  // On the loop.
  void Put(int value) {
    Take* const waiter = std::exchange(waiter_, nullptr);
    waiter->taken_ = value;
    waiter->Complete();
  }
  bool has_waiter() const { return waiter_ != nullptr; }
  int given_up = 0;

 private:
  transport::Executor& loop_;
  Take* waiter_ = nullptr;
};

// A call as the combinators see one: awaited, and cancelled by Cancel().
class FakeCall {
 public:
  explicit FakeCall(Mailbox& box) : box_(&box) {}
  FakeCall(FakeCall&&) = default;
  void Cancel() {
    if (box_->has_waiter()) box_->Put(-2);
  }
  Mailbox::Take operator co_await() { return Mailbox::Take(*box_); }

 private:
  Mailbox* box_;
};

Task<int> Value(int value) { co_return value; }
Task<void> Nothing() { co_return; }
Task<std::string> Text(std::string text) { co_return text; }
Task<std::unique_ptr<int>> Unique(int value) { co_return std::make_unique<int>(value); }
Task<absl::Status> Ok() { co_return absl::OkStatus(); }
Task<absl::Status> Fail(std::string why) { co_return absl::NotFoundError(why); }
Task<absl::StatusOr<int>> OkInt(int value) { co_return value; }
Task<int> TakeFrom(Mailbox& box) { co_return co_await box.Read(); }
Task<absl::Status> StatusFrom(Mailbox& box) {
  const int taken = co_await box.Read();
  co_return taken >= 0 ? absl::OkStatus() : absl::AbortedError("given up");
}
#if defined(__cpp_exceptions)
Task<int> Throw() {
  throw std::runtime_error("thrown");
  co_return 0;
}
#endif

// Starts a task on a FakeLoop and keeps its result.
template <class T>
class Started final : private TaskRoot {
 public:
  Started(FakeLoop& loop, Task<T> task) : task_(std::move(task)) {
    loop.Post([this] { task_.Start(this); });
    loop.RunUntilIdle();
  }
  bool done() const { return task_.done(); }
  T Result() { return task_.TakeResult(); }

 private:
  void OnTaskDone() noexcept override {}
  Task<T> task_;
};

void OnLoop(FakeLoop& loop, std::function<void()> work) {
  loop.Post(std::move(work));
  loop.RunUntilIdle();
}

// ---- WhenAll --------------------------------------------------------------------------------------------------------

TEST(WhenAllTest, GivesEveryResultInOrder) {
  auto [number, text, nothing, unique] = WhenAll(Value(1), Text("two"), Nothing(), Unique(4)).Wait();
  EXPECT_EQ(number, 1);
  EXPECT_EQ(text, "two");
  EXPECT_EQ(nothing, std::monostate());
  EXPECT_EQ(*unique, 4);
  EXPECT_EQ(WhenAll().Wait(), std::tuple<>());
}

TEST(WhenAllTest, TakesAVector) {
  std::vector<Task<int>> tasks;
  for (int i = 0; i < 5; ++i) tasks.push_back(Value(i));
  EXPECT_EQ(WhenAll(std::move(tasks)).Wait(), (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_TRUE(WhenAll(std::vector<Task<int>>()).Wait().empty());
}

TEST(WhenAllTest, WaitsForAllInWhateverOrderTheyEnd) {
  FakeLoop loop;
  Mailbox a(loop), b(loop);
  Started<std::tuple<int, int>> both(loop, WhenAll(TakeFrom(a), TakeFrom(b)));
  OnLoop(loop, [&] { b.Put(2); });
  EXPECT_FALSE(both.done());
  OnLoop(loop, [&] { a.Put(1); });
  ASSERT_TRUE(both.done());
  EXPECT_EQ(both.Result(), std::make_tuple(1, 2));
}

Task<int> SumOfOperations(Mailbox& a, Mailbox& b) {
  auto [first, second] = co_await WhenAll(a.Read(), b.Read());
  co_return first + second;
}

TEST(WhenAllTest, TakesOperationsAsTemporaries) {
  FakeLoop loop;
  Mailbox a(loop), b(loop);
  Started<int> sum(loop, SumOfOperations(a, b));
  OnLoop(loop, [&] {
    a.Put(1);
    b.Put(2);
  });
  ASSERT_TRUE(sum.done());
  EXPECT_EQ(sum.Result(), 3);
}

TEST(WhenAllTest, DestroyedOnItsLoopItTakesItsBranchesWithIt) {
  FakeLoop loop;
  Mailbox a(loop), b(loop);
  OnLoop(loop, [&] {
    class Ignore final : public TaskRoot {
      void OnTaskDone() noexcept override { FAIL(); }
    } ignore;
    Task<std::tuple<int, int>> both = WhenAll(TakeFrom(a), TakeFrom(b));
    both.Start(&ignore);
  });
  EXPECT_EQ(a.given_up + b.given_up, 2);
}

#if defined(__cpp_exceptions)
TEST(WhenAllTest, AnExceptionIsThrownWhenAllHaveEnded) {
  FakeLoop loop;
  Mailbox a(loop);
  Started<std::tuple<int, int>> both(loop, WhenAll(Throw(), TakeFrom(a)));
  EXPECT_FALSE(both.done());
  OnLoop(loop, [&] { a.Put(1); });
  ASSERT_TRUE(both.done());
  EXPECT_THROW(both.Result(), std::runtime_error);
}
#endif

// ---- WhenAny --------------------------------------------------------------------------------------------------------

Task<std::pair<size_t, int>> FirstOf(Mailbox& a, Mailbox& b) {
  std::variant<int, int> first = co_await WhenAny(a.Read(), b.Read());
  co_return std::pair(first.index(), first.index() == 0 ? std::get<0>(first) : std::get<1>(first));
}

TEST(WhenAnyTest, GivesTheFirstAndTheOtherOperationsGiveUp) {
  FakeLoop loop;
  Mailbox a(loop), b(loop);
  Started<std::pair<size_t, int>> first(loop, FirstOf(a, b));
  OnLoop(loop, [&] { b.Put(7); });
  ASSERT_TRUE(first.done());
  EXPECT_EQ(first.Result(), std::pair(size_t{1}, 7));
  EXPECT_EQ(a.given_up, 1);
  EXPECT_EQ(b.given_up, 0);
}

TEST(WhenAnyTest, CallsAreCancelledAlsoThoseThatWereNotAwaitedYet) {
  FakeLoop loop;
  Mailbox a(loop), b(loop);
  Started<std::variant<int, int>> first(loop, WhenAny(FakeCall(a), FakeCall(b)));
  OnLoop(loop, [&] { a.Put(1); });
  ASSERT_TRUE(first.done());
  EXPECT_EQ(std::get<0>(first.Result()), 1);
  EXPECT_FALSE(b.has_waiter());
  EXPECT_EQ(WhenAny(Value(5), FakeCall(b)).Wait().index(), 0u);
  EXPECT_FALSE(b.has_waiter());
}

Task<int> UntilCancelled(CancelScope& scope, Mailbox& box) {
  // What a call with this parent does.
  const std::stop_callback stop(scope.stop_token(), [&box] { box.Put(-2); });
  const int taken = co_await box.Read();
  co_return taken;
}

TEST(WhenAnyTest, TasksAreCancelledByTheirScope) {
  FakeLoop loop;
  Mailbox a(loop), b(loop);
  CancelScope scope;
  Started<std::variant<int, int>> first(loop, WhenAny(scope, TakeFrom(a), UntilCancelled(scope, b)));
  OnLoop(loop, [&] { a.Put(1); });
  EXPECT_TRUE(scope.IsCancelled());
  ASSERT_TRUE(first.done());
  EXPECT_EQ(std::get<0>(first.Result()), 1);
}

TEST(WhenAnyTest, ATaskWithoutAScopeIsWaitedFor) {
  FakeLoop loop;
  Mailbox a(loop), b(loop);
  Started<std::variant<int, int>> first(loop, WhenAny(TakeFrom(a), TakeFrom(b)));
  OnLoop(loop, [&] { a.Put(1); });
  EXPECT_FALSE(first.done());
  OnLoop(loop, [&] { b.Put(2); });
  ASSERT_TRUE(first.done());
  EXPECT_EQ(std::get<0>(first.Result()), 1);
}

TEST(WhenAnyTest, TakesAVector) {
  FakeLoop loop;
  std::vector<std::unique_ptr<Mailbox>> boxes;
  std::vector<FakeCall> calls;
  for (int i = 0; i < 3; ++i) {
    boxes.push_back(std::make_unique<Mailbox>(loop));
    calls.emplace_back(*boxes.back());
  }
  Started<First<int>> first(loop, WhenAny(std::move(calls)));
  OnLoop(loop, [&] { boxes[2]->Put(9); });
  ASSERT_TRUE(first.done());
  const First<int> result = first.Result();
  EXPECT_EQ(result.index, 2u);
  EXPECT_EQ(result.result, 9);
}

TEST(WhenAnyTest, OfNothingIsAnErrorWhereItCanBeOne) {
  EXPECT_EQ(WhenAny(std::vector<Task<absl::Status>>()).Wait().result.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(WhenAny(std::vector<Task<absl::StatusOr<int>>>()).Wait().result.status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_DEATH(WhenAny(std::vector<Task<int>>()).Wait(), "expected at least one call, task or operation");
}

// ---- WhenAllOk ------------------------------------------------------------------------------------------------------

TEST(WhenAllOkTest, GivesTheValues) {
  absl::StatusOr<std::tuple<int, std::monostate, int>> all = WhenAllOk(OkInt(1), Ok(), OkInt(3)).Wait();
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(std::get<2>(*all), 3);
  std::vector<Task<absl::StatusOr<int>>> tasks;
  for (int i = 0; i < 3; ++i) tasks.push_back(OkInt(i));
  absl::StatusOr<std::vector<int>> values = WhenAllOk(std::move(tasks)).Wait();
  ASSERT_TRUE(values.ok());
  EXPECT_EQ(*values, (std::vector<int>{0, 1, 2}));
}

TEST(WhenAllOkTest, TheFirstErrorCancelsTheOthersAndIsTheResult) {
  EXPECT_EQ(WhenAllOk(OkInt(1), Fail("no such thing"), Fail("later")).Wait().status(),
            absl::NotFoundError("no such thing"));
  FakeLoop loop;
  Mailbox a(loop), b(loop);
  CancelScope scope;
  const std::stop_callback stop(scope.stop_token(), [&b] { b.Put(-2); });
  Started<absl::StatusOr<std::tuple<std::monostate, std::monostate>>> both(
      loop, WhenAllOk(scope, StatusFrom(b), StatusFrom(a)));
  OnLoop(loop, [&] { a.Put(-1); });
  ASSERT_TRUE(both.done());
  EXPECT_EQ(both.Result().status(), absl::AbortedError("given up"));
}

TEST(WhenAllOkTest, MayBeDestroyedWhileItWaits) {
  FakeLoop loop;
  Mailbox a(loop), b(loop);
  using Both = std::tuple<std::monostate, std::monostate>;
  auto both = std::make_unique<Started<absl::StatusOr<Both>>>(loop, WhenAllOk(StatusFrom(a), StatusFrom(b)));
  EXPECT_FALSE(both->done());
  both.reset();
  EXPECT_EQ(a.given_up, 1);
  EXPECT_EQ(b.given_up, 1);
}

TEST(WhenAllOkTest, TakesAVectorOfWhichOneFails) {
  std::vector<Task<absl::Status>> tasks;
  tasks.push_back(Ok());
  tasks.push_back(Fail("second"));
  tasks.push_back(Fail("third"));
  EXPECT_EQ(WhenAllOk(std::move(tasks)).Wait().status(), absl::NotFoundError("second"));
}

// ---- threads --------------------------------------------------------------------------------------------------------

// Goes on on its executor after somebody else's thread has been there.
class Hop {
 public:
  explicit Hop(transport::Executor& through) : through_(through) {}
  Hop(const Hop&) = delete;
  Hop& operator=(const Hop&) = delete;
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    through_.Post([resumption = Resumption(waiter)] { resumption.Resume(); });
  }
  void await_resume() const {}

 private:
  transport::Executor& through_;
};

Task<int> HopThrough(transport::Executor& pool, int value) {
  co_await Hop(pool);
  co_await Hop(pool);
  co_return value;
}

Task<int> SumOfMany(transport::Executor& other) {
  std::vector<Task<int>> tasks;
  for (int i = 0; i < 50; ++i) tasks.push_back(HopThrough(other, 1));
  std::vector<int> ones = co_await WhenAll(std::move(tasks));
  int sum = 0;
  for (int one : ones) sum += one;
  std::vector<Task<int>> racing;
  for (int i = 0; i < 10; ++i) racing.push_back(HopThrough(other, 1));
  First<int> first = co_await WhenAny(std::move(racing));
  co_return sum + first.result;
}

Task<void> AddTo(std::atomic<int>& total, transport::Executor& other, transport::BlockingExecutor& done) {
  total += co_await SumOfMany(other);
  done.Finish();
}

TEST(WhenThreadsTest, BranchesMayEndOnSeveralThreadsOfAPool) {
  transport::WorkerPool home(3, "home");
  transport::WorkerPool other(2, "other");
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> total = 0;
    transport::BlockingExecutor done;
    home.Post([&] { Spawn(AddTo(total, other, done)); });
    done.RunUntilDone();
    EXPECT_EQ(total, 51);
  }
}

TEST(WhenThreadsTest, APlainThreadMayWait) {
  transport::WorkerPool other(2, "other");
  EXPECT_EQ(SumOfMany(other).Wait(), 51);
}

}  // namespace
}  // namespace weir
