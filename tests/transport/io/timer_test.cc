#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/tests/support/fake_loop.h"
#include "weir/transport/io/event_loop.h"

namespace weir::transport {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using weir::testing::FakeLoop;

class TimerTest : public ::testing::Test {
 protected:
  std::unique_ptr<Timer> Named(std::string name) {
    return std::make_unique<Timer>(loop_, [this, name] { fired_.push_back(name); });
  }
  MonotonicTime At(int ms) const { return MonotonicTime{} + milliseconds(ms); }

  FakeLoop loop_;
  std::vector<std::string> fired_;
};

TEST_F(TimerTest, TimersFireInTheOrderOfTheirTimes) {
  auto a = Named("a"), b = Named("b"), c = Named("c");
  a->Set(At(30));
  b->Set(At(10));
  c->Set(At(20));
  loop_.Advance(milliseconds(30));
  EXPECT_THAT(fired_, ElementsAre("b", "c", "a"));
}

TEST_F(TimerTest, EqualTimesFireInTheOrderInWhichTheyWereSet) {
  std::vector<std::unique_ptr<Timer>> timers;
  std::vector<std::string> expected;
  for (int i = 0; i < 100; ++i) {
    timers.push_back(Named(std::to_string(i)));
    expected.push_back(std::to_string(i));
  }
  for (auto& timer : timers) timer->Set(At(5));
  loop_.Advance(milliseconds(5));
  EXPECT_EQ(fired_, expected);
}

TEST_F(TimerTest, NoTimerFiresBeforeItsTime) {
  auto a = Named("a");
  a->Set(At(10));
  loop_.Advance(milliseconds(10) - std::chrono::nanoseconds(1));
  EXPECT_THAT(fired_, IsEmpty());
  EXPECT_TRUE(a->IsSet());
  loop_.Advance(std::chrono::nanoseconds(1));
  EXPECT_THAT(fired_, ElementsAre("a"));
  EXPECT_FALSE(a->IsSet());
}

TEST_F(TimerTest, ACallbackThatFindsNoMemoryIsOverAndTheOthersComeAllTheSame) {
  Timer first(loop_, [] { throw std::bad_alloc(); });
  auto second = Named("second");
  first.Set(At(10));
  second->Set(At(10));
  loop_.Post([] { throw std::bad_alloc(); });
  loop_.Post([this] { fired_.push_back("posted"); });
  loop_.Advance(milliseconds(10));
  EXPECT_THAT(fired_, ElementsAre("posted", "second"));
}

TEST_F(TimerTest, ACancelledTimerDoesNotFire) {
  auto a = Named("a"), b = Named("b");
  a->Set(At(1));
  b->Set(At(2));
  a->Cancel();
  loop_.Advance(milliseconds(5));
  EXPECT_THAT(fired_, ElementsAre("b"));
  EXPECT_EQ(loop_.timers(), 0u);
}

TEST_F(TimerTest, ADestroyedTimerDoesNotFire) {
  auto a = Named("a"), b = Named("b");
  a->Set(At(1));
  b->Set(At(2));
  a.reset();
  loop_.Advance(milliseconds(5));
  EXPECT_THAT(fired_, ElementsAre("b"));
}

TEST_F(TimerTest, SettingAgainReplacesTheTime) {
  auto a = Named("a");
  a->Set(At(1));
  a->Set(At(10));
  loop_.Advance(milliseconds(5));
  EXPECT_THAT(fired_, IsEmpty());
  a->Set(At(7));
  loop_.Advance(milliseconds(2));
  EXPECT_THAT(fired_, ElementsAre("a"));
}

TEST_F(TimerTest, ATimerMaySetItselfAgainInsideItsCallback) {
  int count = 0;
  Timer tick(loop_, [&] {
    if (++count < 5) tick.Set(loop_.Now() + milliseconds(10));
  });
  tick.Set(At(10));
  loop_.Advance(milliseconds(49));
  EXPECT_EQ(count, 4);
  loop_.Advance(milliseconds(100));
  EXPECT_EQ(count, 5);
}

TEST_F(TimerTest, ATimerSetForNowInsideItsCallbackWaitsForTheNextTurnAndDelaysNobody) {
  auto other = Named("other");
  Timer again(loop_, [&] {
    fired_.push_back("again");
    if (fired_.size() < 3) again.Set(At(0));  // long past
  });
  again.Set(At(0));
  other->Set(At(0));
  ASSERT_TRUE(loop_.RunTurn());
  EXPECT_THAT(fired_, ElementsAre("again", "other"));
  ASSERT_TRUE(loop_.RunTurn());
  EXPECT_THAT(fired_, ElementsAre("again", "other", "again"));
  EXPECT_FALSE(loop_.RunTurn());
}

TEST_F(TimerTest, ACallbackMayCancelAndDestroyOtherTimersThatAreDue) {
  auto b = Named("b"), c = Named("c"), d = Named("d");
  Timer a(loop_, [&] {
    b->Cancel();
    c.reset();
  });
  a.Set(At(1));
  b->Set(At(1));
  c->Set(At(1));
  d->Set(At(1));
  loop_.Advance(milliseconds(1));
  EXPECT_THAT(fired_, ElementsAre("d"));
}

TEST_F(TimerTest, ACallbackMayDestroyItsOwnTimerAsItsLastAct) {
  std::unique_ptr<Timer> own;
  own = std::make_unique<Timer>(loop_, [&] { own.reset(); });
  own->Set(At(1));
  loop_.Advance(milliseconds(1));
  EXPECT_EQ(own, nullptr);
}

TEST_F(TimerTest, ManyTimersStayInOrderWhileSomeAreCancelled) {
  // A fixed pseudo-random sequence: times collide, every third is cancelled, every fifth is set again.
  std::vector<std::unique_ptr<Timer>> timers;
  uint32_t random = 12345;
  std::vector<MonotonicTime> fired;
  for (int i = 0; i < 1000; ++i) {
    timers.push_back(std::make_unique<Timer>(loop_, [&, i] { fired.push_back(timers[i]->due()); }));
    random = random * 1664525 + 1013904223;
    timers.back()->Set(At(static_cast<int>(random >> 24)));
  }
  size_t expected_count = timers.size();
  for (size_t i = 0; i < timers.size(); ++i) {
    if (i % 3 == 0) {
      timers[i]->Cancel();
      --expected_count;
    } else if (i % 5 == 0) {
      random = random * 1664525 + 1013904223;
      timers[i]->Set(At(static_cast<int>(random >> 24)));
    }
  }
  loop_.Advance(milliseconds(300));
  EXPECT_EQ(fired.size(), expected_count);
  EXPECT_TRUE(std::is_sorted(fired.begin(), fired.end()));
  EXPECT_EQ(loop_.timers(), 0u);
}

TEST(TimerLifetime, ATimerMayOutliveItsLoop) {
  auto loop = std::make_unique<FakeLoop>();
  Timer timer(*loop, [] { FAIL(); });
  timer.Set(MonotonicTime{} + milliseconds(1));
  loop.reset();
  EXPECT_FALSE(timer.IsSet());
}

class Recorder final : public EndOfTurn {
 public:
  explicit Recorder(std::function<void()> run) : run_(std::move(run)) {}
  void OnEndOfTurn() override { run_(); }

 private:
  std::function<void()> run_;
};

TEST_F(TimerTest, EndOfTurnWorkRunsOnceHoweverOftenItIsAskedFor) {
  Recorder flush([&] { fired_.push_back("flush"); });
  for (int i = 0; i < 3; ++i) {
    loop_.Post([&] {
      fired_.push_back("work");
      loop_.AtEndOfTurn(&flush);
      loop_.AtEndOfTurn(&flush);
    });
  }
  ASSERT_TRUE(loop_.RunTurn());
  EXPECT_THAT(fired_, ElementsAre("work", "work", "work", "flush"));
  EXPECT_FALSE(loop_.RunTurn());
}

TEST_F(TimerTest, EndOfTurnWorkAskedForAtTheEndOfATurnRunsInTheSameTurn) {
  Recorder second([&] { fired_.push_back("second"); });
  Recorder first([&] {
    fired_.push_back("first");
    loop_.AtEndOfTurn(&second);
  });
  loop_.AtEndOfTurn(&first);
  ASSERT_TRUE(loop_.RunTurn());
  EXPECT_THAT(fired_, ElementsAre("first", "second"));
  EXPECT_TRUE(loop_.idle());
}

TEST_F(TimerTest, EndOfTurnWorkThatKeepsAskingDoesNotStopTheLoop) {
  int runs = 0;
  Recorder endless([&] {
    ++runs;
    if (runs < 100) loop_.AtEndOfTurn(&endless);
  });
  loop_.AtEndOfTurn(&endless);
  ASSERT_TRUE(loop_.RunTurn());
  EXPECT_EQ(runs, 4) << "the passes of one turn are bounded";
  loop_.RunUntilIdle();
  EXPECT_EQ(runs, 100);
}

TEST_F(TimerTest, EndOfTurnWorkThatIsDestroyedIsForgotten) {
  auto victim = std::make_unique<Recorder>([&] { fired_.push_back("victim"); });
  Recorder killer([&] { victim.reset(); });
  Recorder last([&] { fired_.push_back("last"); });
  loop_.AtEndOfTurn(&killer);
  loop_.AtEndOfTurn(victim.get());
  loop_.AtEndOfTurn(&last);
  loop_.RunUntilIdle();
  EXPECT_THAT(fired_, ElementsAre("last"));
}

TEST_F(TimerTest, PostedWorkRunsInOrderAndWorkPostedMeanwhileRunsInTheNextTurn) {
  loop_.Post([&] {
    fired_.push_back("1");
    loop_.Post([&] { fired_.push_back("3"); });
  });
  loop_.Post([&] { fired_.push_back("2"); });
  loop_.RunTurn();
  EXPECT_THAT(fired_, ElementsAre("1", "2"));
  loop_.RunTurn();
  EXPECT_THAT(fired_, ElementsAre("1", "2", "3"));
}

}  // namespace
}  // namespace weir::transport
