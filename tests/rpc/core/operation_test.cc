// Operation: where it begins, where its waiter goes on, and that it leaves nothing behind.
#include "weir/rpc/core/operation.h"

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "weir/rpc/core/task.h"
#include "weir/tests/support/fake_loop.h"

namespace weir {
namespace {

using testing::FakeLoop;
using Log = std::vector<std::string>;

// What operations wait for.
class Source {
 public:
  bool ready = false;
  int begun = 0;
  int told_of_destruction = 0;
  class Wait* waiting = nullptr;
};

class Wait final : public Operation {
 public:
  Wait(transport::Executor& loop, Source& source) : Operation(loop), source_(source) {}
  ~Wait() {
    if (pending()) ++source_.told_of_destruction;
  }
  void await_resume() const {}
  using Operation::Complete;
  void Forget() override {}

 private:
  bool Begin() override {
    ++source_.begun;
    source_.waiting = this;
    return source_.ready;
  }

  Source& source_;
};

Task<void> Await(transport::Executor& loop, Source& source, Log& log) {
  co_await Wait(loop, source);
  log.push_back(transport::Executor::Current() == &loop ? "on the loop" : "elsewhere");
}

class Root final : public TaskRoot {
 public:
  void OnTaskDone() noexcept override { done = true; }
  bool done = false;
};

TEST(OperationTest, OnItsLoopWhatIsReadyCompletesWithoutSuspending) {
  FakeLoop loop;
  Source source{.ready = true};
  Log log;
  loop.Post([&] {
    Spawn(Await(loop, source, log));
    EXPECT_EQ(log, Log({"on the loop"}));
  });
  loop.RunUntilIdle();
  EXPECT_EQ(source.told_of_destruction, 0);
}

TEST(OperationTest, OnItsLoopWhatIsNotReadyResumesInsideComplete) {
  FakeLoop loop;
  Source source;
  Log log;
  loop.Post([&] { Spawn(Await(loop, source, log)); });
  loop.RunUntilIdle();
  EXPECT_EQ(log, Log());
  loop.Post([&] {
    source.waiting->Complete();
    EXPECT_EQ(log, Log({"on the loop"}));
  });
  loop.RunUntilIdle();
  EXPECT_EQ(source.told_of_destruction, 0);
}

TEST(OperationTest, FromAnotherExecutorItTravelsToTheLoopAndItsWaiterStaysWhereItWas) {
  FakeLoop loop;
  FakeLoop home;
  for (bool ready : {true, false}) {
    Source source{.ready = ready};
    Log log;
    home.Post([&] { Spawn(Await(loop, source, log)); });
    home.RunUntilIdle();
    EXPECT_EQ(source.begun, 0) << "not on this thread";
    loop.RunUntilIdle();
    EXPECT_EQ(source.begun, 1);
    if (!ready) {
      loop.Post([&] { source.waiting->Complete(); });
      loop.RunUntilIdle();
    }
    EXPECT_EQ(log, Log());
    home.RunUntilIdle();
    EXPECT_EQ(log, Log({"elsewhere"}));
    EXPECT_EQ(source.told_of_destruction, 0) << "a waiter on another thread must not touch what lives on the loop";
  }
}

TEST(OperationTest, DestroyedWhileItWaitsItSaysSo) {
  FakeLoop loop;
  Source source;
  Log log;
  Root root;
  Task<void> task = Await(loop, source, log);
  loop.Post([&] { task.Start(&root); });
  loop.RunUntilIdle();
  loop.Post([&] { task = Task<void>(); });
  loop.RunUntilIdle();
  EXPECT_EQ(source.told_of_destruction, 1);
  EXPECT_FALSE(root.done);
}

TEST(OperationTest, DestroyedBeforeItHasBegunItHasNothingToSay) {
  FakeLoop loop;
  Source source;
  { Wait never(loop, source); }
  EXPECT_EQ(source.begun, 0);
  EXPECT_EQ(source.told_of_destruction, 0);
}

}  // namespace
}  // namespace weir
