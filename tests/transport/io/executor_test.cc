// Executors that are no event loops: the worker pool, and the one that lets a plain thread wait.
#include "weir/transport/io/executor.h"

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/testing/status_matchers.h"
#include "weir/tests/support/fake_loop.h"
#include "weir/transport/io/blocking_executor.h"
#include "weir/transport/io/mutex.h"
#include "weir/transport/io/worker_pool.h"

namespace weir::transport {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using weir::testing::FakeLoop;
using weir::testing::IsOk;
using weir::testing::StatusIs;

TEST(BlockingExecutorTest, PostedWorkRunsOnTheWaitingThreadInOrderUntilFinish) {
  BlockingExecutor executor;
  std::vector<int> ran;
  const std::thread::id waiting = std::this_thread::get_id();
  executor.Post([&] {
    EXPECT_EQ(Executor::Current(), &executor);
    ran.push_back(1);
    executor.Post([&] {
      ran.push_back(3);
      executor.Finish();
    });
  });
  std::thread other([&] {
    executor.Post([&] {
      EXPECT_EQ(std::this_thread::get_id(), waiting);
      ran.push_back(2);
    });
  });
  other.join();
  executor.RunUntilDone();
  EXPECT_THAT(ran, ElementsAre(1, 2, 3));
  EXPECT_EQ(Executor::Current(), nullptr);
}

TEST(BlockingExecutorTest, FinishMayComeFirstAndEndsOneRun) {
  BlockingExecutor executor;
  executor.Finish();
  executor.RunUntilDone();
  bool ran = false;
  executor.Post([&] {
    ran = true;
    executor.Finish();
  });
  executor.RunUntilDone();
  EXPECT_TRUE(ran);
}

TEST(BlockingExecutorTest, WorkPostedBeforeFinishIsNotLost) {
  BlockingExecutor executor;
  bool ran = false;
  executor.Finish();
  executor.Post([&] { ran = true; });
  executor.RunUntilDone();
  EXPECT_TRUE(ran);
}

TEST(BlockingExecutorTest, FinishFromAnotherThreadEndsTheWaitAndTheExecutorMayGoAtOnce) {
  for (int i = 0; i < 200; ++i) {
    auto executor = std::make_unique<BlockingExecutor>();
    std::thread other([e = executor.get()] { e->Finish(); });
    executor->RunUntilDone();
    executor.reset();
    other.join();
  }
}

TEST(BlockingExecutorTest, AThreadOfAnEventLoopMustNotBlockAndIsToldWhatToDo) {
  EXPECT_THAT(BlockingExecutor::MayBlock("Wait"), IsOk()) << "a plain thread may";
  FakeLoop loop;
  bool ran = false;
  loop.Post([&] {
    ran = true;
    EXPECT_THAT(BlockingExecutor::MayBlock("SayHello().Wait()"),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         AllOf(HasSubstr("SayHello().Wait(): "), HasSubstr("co_await it"), HasSubstr("worker pool"))));
  });
  loop.RunUntilIdle();
  EXPECT_TRUE(ran);
}

TEST(WorkerPoolTest, WorkRunsOnThePoolsThreadsWhichMayBlock) {
  Mutex mutex;
  std::set<std::thread::id> threads;
  std::atomic<int> ran{0};
  {
    WorkerPool pool(3, "worker-test");
    EXPECT_EQ(pool.threads(), 3u);
    for (int i = 0; i < 300; ++i) {
      pool.Post([&] {
        EXPECT_EQ(Executor::Current(), &pool);
        EXPECT_THAT(BlockingExecutor::MayBlock("read a file"), IsOk());
        MutexLock lock(mutex);
        threads.insert(std::this_thread::get_id());
        ++ran;
      });
    }
  }
  EXPECT_EQ(ran, 300) << "the destructor runs what was posted, then joins";
  EXPECT_LE(threads.size(), 3u);
  EXPECT_EQ(threads.count(std::this_thread::get_id()), 0u);
}

TEST(WorkerPoolTest, OneThreadKeepsTheOrder) {
  std::vector<int> ran;
  std::vector<int> expected;
  {
    WorkerPool pool(1);
    for (int i = 0; i < 100; ++i) {
      expected.push_back(i);
      pool.Post([&, i] { ran.push_back(i); });
    }
  }
  EXPECT_EQ(ran, expected);
}

TEST(WorkerPoolTest, AfterShutdownWorkIsDestroyedAndNotRun) {
  WorkerPool pool(2);
  pool.Shutdown();
  auto token = std::make_shared<int>(0);
  bool ran = false;
  pool.Post([token, &ran] { ran = true; });
  EXPECT_EQ(token.use_count(), 1);
  EXPECT_FALSE(ran);
}

TEST(WorkerPoolTest, WorkMayPostMoreWorkDuringShutdownWithoutHarm) {
  auto pool = std::make_unique<WorkerPool>(2);
  for (int i = 0; i < 100; ++i) {
    pool->Post([&pool_ref = *pool] { pool_ref.Post([] {}); });
  }
  pool.reset();
}

}  // namespace
}  // namespace weir::transport
