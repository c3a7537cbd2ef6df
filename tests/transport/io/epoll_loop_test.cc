// The loop under test is real: it has real descriptors and the real clock. Nothing sleeps; a loop that hangs is stopped
// by the watchdog.
#include "weir/transport/io/epoll_loop.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/testing/status_matchers.h"
#include "weir/transport/io/loop_pool.h"

namespace weir::transport {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using weir::testing::IsOk;

class Handler final : public DescriptorHandler {
 public:
  explicit Handler(
      std::function<void()> on_readable, std::function<void()> on_writable = [] {})
      : on_readable_(std::move(on_readable)), on_writable_(std::move(on_writable)) {}
  void OnReadable() override { on_readable_(); }
  void OnWritable() override { on_writable_(); }

 private:
  std::function<void()> on_readable_;
  std::function<void()> on_writable_;
};

struct SocketPair {
  SocketPair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0); }
  ~SocketPair() {
    CloseOne(0);
    CloseOne(1);
  }
  void CloseOne(int index) {
    if (fds[index] >= 0) ::close(std::exchange(fds[index], -1));
  }
  void WriteTo(int index) { EXPECT_EQ(::write(fds[index], "x", 1), 1); }

  int fds[2] = {-1, -1};
};

class EpollLoopTest : public ::testing::Test {
 protected:
  EpollLoopTest() { watchdog_.Set(std::chrono::steady_clock::now() + std::chrono::seconds(30)); }

  EpollLoop loop_;
  Timer watchdog_{loop_, [this] {
                    ADD_FAILURE() << "the loop did not come to its end in 30 s";
                    loop_.Stop();
                  }};
};

TEST_F(EpollLoopTest, WorkThatFindsNoMemoryIsOverAndTheLoopGoesOn) {
  SocketPair sockets;
  std::vector<std::string> seen;
  Handler handler([&]() -> void {
    seen.push_back("readable");
    loop_.Post([&] {
      seen.push_back("posted");
      loop_.Stop();
    });
    throw std::bad_alloc();
  });
  ASSERT_THAT(loop_.Watch(sockets.fds[0], &handler), IsOk());
  loop_.Post([] { throw std::bad_alloc(); });
  sockets.WriteTo(1);
  loop_.Run();
  EXPECT_THAT(seen, ElementsAre("readable", "posted"));
  loop_.Unwatch(sockets.fds[0]);
}

TEST_F(EpollLoopTest, WorkPostedFromManyThreadsRunsOnTheLoopInEachThreadsOrder) {
  constexpr int kThreads = 4;
  constexpr int kEach = 2000;
  std::vector<std::vector<int>> seen(kThreads);
  int left = kThreads * kEach;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        loop_.Post([&, t, i] {
          EXPECT_TRUE(loop_.IsCurrent());
          seen[t].push_back(i);
          if (--left == 0) loop_.Stop();
        });
      }
    });
  }
  loop_.Run();
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<int>& numbers : seen) {
    ASSERT_EQ(numbers.size(), static_cast<size_t>(kEach));
    for (int i = 0; i < kEach; ++i) ASSERT_EQ(numbers[i], i);
  }
}

TEST_F(EpollLoopTest, WorkPostedBeforeStopIsStillRunAndRunMayBeCalledAgain) {
  std::vector<int> ran;
  loop_.Post([&] { ran.push_back(1); });
  loop_.Stop();
  loop_.Post([&] { ran.push_back(2); });
  loop_.Run();
  EXPECT_THAT(ran, ElementsAre(1, 2));
  loop_.Post([&] {
    ran.push_back(3);
    loop_.Stop();
  });
  loop_.Run();
  EXPECT_THAT(ran, ElementsAre(1, 2, 3));
}

TEST_F(EpollLoopTest, TimersDoNotFireEarlyAndNowIsTheBeginningOfTheTurn) {
  int left = 20;
  std::vector<std::unique_ptr<Timer>> timers;
  for (int i = 0; i < 20; ++i) {
    timers.push_back(std::make_unique<Timer>(loop_, [&, i] {
      EXPECT_GE(loop_.Now(), timers[i]->due());
      EXPECT_GE(std::chrono::steady_clock::now(), timers[i]->due());
      if (--left == 0) loop_.Stop();
    }));
    timers.back()->Set(loop_.Now() + std::chrono::microseconds(300 * i + 7));
  }
  loop_.Run();
  EXPECT_EQ(left, 0);
}

TEST_F(EpollLoopTest, OneTurnIsReadinessThenTimersThenPostedWorkThenEndOfTurn) {
  class Flush final : public EndOfTurn {
   public:
    explicit Flush(std::vector<std::string>* log) : log_(log) {}
    void OnEndOfTurn() override { log_->push_back("end of turn"); }

   private:
    std::vector<std::string>* log_;
  };
  std::vector<std::string> log;
  Flush flush(&log);
  SocketPair pair;
  Timer timer(loop_, [&] { log.push_back("timer"); });
  Handler handler([&] {
    log.push_back("readable");
    loop_.AtEndOfTurn(&flush);
  });
  pair.WriteTo(1);
  ASSERT_THAT(loop_.Watch(pair.fds[0], &handler), IsOk());
  timer.Set(loop_.Now());
  loop_.Post([&] {
    log.push_back("posted");
    loop_.AtEndOfTurn(&flush);
  });
  loop_.RunOnce(milliseconds(0));
  EXPECT_THAT(log, ElementsAre("readable", "timer", "posted", "end of turn"));
  loop_.Unwatch(pair.fds[0]);
}

TEST_F(EpollLoopTest, ReadinessIsToldOncePerEdge) {
  SocketPair pair;
  int readable = 0;
  Handler handler([&] { ++readable; });
  ASSERT_THAT(loop_.Watch(pair.fds[0], &handler), IsOk());
  loop_.RunOnce(milliseconds(0));
  EXPECT_EQ(readable, 0);
  pair.WriteTo(1);
  loop_.RunOnce(milliseconds(0));
  loop_.RunOnce(milliseconds(0));
  EXPECT_EQ(readable, 1) << "nothing was read, so nothing new can be told";
  pair.WriteTo(1);
  loop_.RunOnce(milliseconds(0));
  EXPECT_EQ(readable, 2);
  loop_.Unwatch(pair.fds[0]);
}

TEST_F(EpollLoopTest, AHandlerThatAnotherOneUnwatchesInTheSameBatchIsNotCalled) {
  SocketPair a, b;
  int called = 0;
  // Both are ready in one batch; whoever comes first unregisters and closes the other.
  std::unique_ptr<Handler> handler_a, handler_b;
  handler_a = std::make_unique<Handler>([&] {
    ++called;
    loop_.Unwatch(b.fds[0]);
    b.CloseOne(0);
    handler_b.reset();
  });
  handler_b = std::make_unique<Handler>([&] {
    ++called;
    loop_.Unwatch(a.fds[0]);
    a.CloseOne(0);
    handler_a.reset();
  });
  ASSERT_THAT(loop_.Watch(a.fds[0], handler_a.get()), IsOk());
  ASSERT_THAT(loop_.Watch(b.fds[0], handler_b.get()), IsOk());
  a.WriteTo(1);
  b.WriteTo(1);
  loop_.RunOnce(milliseconds(0));
  EXPECT_EQ(called, 1);
}

TEST_F(EpollLoopTest, ADescriptorNumberThatIsUsedAgainInTheSameBatchGetsNoOldEvents) {
  SocketPair a, b, fresh;
  int old_calls = 0;
  int new_calls = 0;
  Handler on_fresh([&] { ++new_calls; });
  auto take_over = [&](SocketPair& other) {
    ++old_calls;
    const int number = other.fds[0];
    loop_.Unwatch(number);
    other.CloseOne(0);
    ASSERT_EQ(::dup3(fresh.fds[0], number, O_CLOEXEC), number);  // a new socket, not readable, with the old number
    ASSERT_THAT(loop_.Watch(number, &on_fresh), IsOk());
    other.fds[0] = number;
  };
  Handler handler_a([&] { take_over(b); });
  Handler handler_b([&] { take_over(a); });
  ASSERT_THAT(loop_.Watch(a.fds[0], &handler_a), IsOk());
  ASSERT_THAT(loop_.Watch(b.fds[0], &handler_b), IsOk());
  a.WriteTo(1);
  b.WriteTo(1);
  loop_.RunOnce(milliseconds(0));
  EXPECT_EQ(old_calls, 1);
  EXPECT_EQ(new_calls, 0) << "the readiness was the old descriptor's";
  fresh.WriteTo(1);
  loop_.RunOnce(milliseconds(0));
  EXPECT_EQ(new_calls, 1);
  loop_.Unwatch(a.fds[0]);
  loop_.Unwatch(b.fds[0]);
}

TEST_F(EpollLoopTest, AHandlerMayUnwatchItselfBetweenReadableAndWritable) {
  SocketPair pair;
  bool writable = false;
  std::unique_ptr<Handler> handler;
  handler = std::make_unique<Handler>(
      [&] {
        loop_.Unwatch(pair.fds[0]);
        // Not destroying the std::function that runs: only what it must not touch afterwards.
      },
      [&] { writable = true; });
  pair.WriteTo(1);
  ASSERT_THAT(loop_.Watch(pair.fds[0], handler.get()), IsOk());
  loop_.RunOnce(milliseconds(0));
  EXPECT_FALSE(writable);
}

TEST_F(EpollLoopTest, HangUpIsToldBeforeReadable) {
  class HangUp final : public DescriptorHandler {
   public:
    void OnHangUp() override { log.push_back("hang up"); }
    void OnReadable() override { log.push_back("readable"); }
    void OnWritable() override {}
    std::vector<std::string> log;
  };
  HangUp handler;
  SocketPair pair;
  pair.WriteTo(1);
  pair.CloseOne(1);
  ASSERT_THAT(loop_.Watch(pair.fds[0], &handler), IsOk());
  loop_.RunOnce(milliseconds(0));
  EXPECT_THAT(handler.log, ElementsAre("hang up", "readable"));
  loop_.Unwatch(pair.fds[0]);
}

TEST_F(EpollLoopTest, WatchingADescriptorThatIsNoneIsAnErrorThatNamesIt) {
  Handler handler([] {});
  const absl::Status status = loop_.Watch(9999, &handler);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(status.ToString(), ::testing::HasSubstr("9999"));
}

bool IsReadable(int fd) {
  pollfd poll_fd{.fd = fd, .events = POLLIN};
  return ::poll(&poll_fd, 1, 0) == 1;
}

TEST_F(EpollLoopTest, TheWakeupDescriptorLetsAnotherLoopDriveThisOne) {
  while (IsReadable(loop_.wakeup_fd())) loop_.RunOnce(milliseconds(0));
  int ran = 0;
  loop_.Post([&] { ++ran; });
  ASSERT_TRUE(IsReadable(loop_.wakeup_fd()));
  loop_.RunOnce(milliseconds(0));
  EXPECT_EQ(ran, 1);
  EXPECT_FALSE(IsReadable(loop_.wakeup_fd()));
  loop_.Post([&] { loop_.Post([&] { ++ran; }); });
  loop_.RunOnce(milliseconds(0));
  ASSERT_TRUE(IsReadable(loop_.wakeup_fd())) << "work posted by work is still to be done";
  loop_.RunOnce(milliseconds(0));
  EXPECT_EQ(ran, 2);
}

TEST_F(EpollLoopTest, DestroyingALoopDestroysWorkThatWasNeverRun) {
  auto token = std::make_shared<int>(1);
  {
    EpollLoop other;
    other.Post([token, &other] { other.Post([token] {}); });
    EXPECT_EQ(token.use_count(), 2);
  }
  EXPECT_EQ(token.use_count(), 1);
}

// Whoever posts last has no say in when the loop goes: the work itself may be what its owner waited for.
// ThreadSanitizer sees a wake-up after the end; without it this can only crash.
TEST_F(EpollLoopTest, ALoopMayBeDestroyedAsSoonAsPostedWorkHasRunWhileThePostIsStillReturning) {
  for (int i = 0; i < 300; ++i) {
    auto loop = std::make_unique<EpollLoop>();
    std::thread poster([&loop = *loop] { loop.Stop(); });
    loop->Run();
    loop.reset();
    poster.join();
  }
}

TEST(LoopPoolTest, LoopsAreHandedOutInTurnAndRunOnThreadsOfTheirOwn) {
  auto pool = LoopPool::Start(3, "pool-test");
  ASSERT_THAT(pool, IsOk());
  ASSERT_EQ((*pool)->size(), 3u);
  EpollLoop* first = &(*pool)->Next();
  EpollLoop* second = &(*pool)->Next();
  EpollLoop* third = &(*pool)->Next();
  EXPECT_NE(first, second);
  EXPECT_NE(second, third);
  EXPECT_EQ(&(*pool)->Next(), first);
  std::atomic<int> ran{0};
  std::string name(16, '\0');
  first->Post([&] {
    ::pthread_getname_np(::pthread_self(), name.data(), name.size());
    ++ran;
  });
  second->Post([&] { ++ran; });
  third->Post([&] { ++ran; });
  (*pool)->Stop();
  (*pool)->Join();
  EXPECT_EQ(ran, 3) << "what was posted before Stop is run";
  EXPECT_STREQ(name.c_str(), "pool-test");
}

TEST_F(EpollLoopTest, WallTimeIsThatOfTheTurnsBeginningHoweverLongTheTurnTakes) {
  loop_.Post([this] {
    const absl::Time begun = absl::Now();
    const MonotonicTime enough = std::chrono::steady_clock::now() + milliseconds(5);
    while (std::chrono::steady_clock::now() < enough) {
    }
    const absl::Time wall = loop_.WallNow();
    EXPECT_LT(wall, begun + absl::Milliseconds(1));
    EXPECT_EQ(wall, loop_.WallNow());
    loop_.Stop();
  });
  loop_.Run();
}

}  // namespace
}  // namespace weir::transport
